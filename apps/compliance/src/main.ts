import { runService } from '@packs/service-host';

void runService('compliance', () => import('./app.module'));
