import { runService } from '@packs/service-host';

void runService('verifier', () => import('./app.module'));
