import { runService } from '@packs/service-host';

void runService('mirror-worker', () => import('./app.module'));
