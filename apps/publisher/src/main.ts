import { runService } from '@packs/service-host';

void runService('publisher', () => import('./app.module'));
