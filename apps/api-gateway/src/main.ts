import { runService } from '@packs/service-host';

void runService('api-gateway', () => import('./app.module'));
