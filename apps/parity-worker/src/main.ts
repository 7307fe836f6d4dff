import { runService } from '@packs/service-host';

void runService('parity-worker', () => import('./app.module'));
