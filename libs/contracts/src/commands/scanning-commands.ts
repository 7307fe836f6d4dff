import { Type, type Static } from '@sinclair/typebox';
import { closed, origin } from '../contract-types';
import { command } from './command-contract';
import { ScanSettingsSchema } from './schemas';

/** Sets what the tenant's packs are scanned for before a verdict on them, from now on. */
export const UpdateScanning = command({
  subject: 'cmd.publisher.update-scanning',
  timeoutMs: 10_000,
  // What is absent stays as it is.
  request: closed({ ...origin, settings: Type.Partial(ScanSettingsSchema, { additionalProperties: false }) }),
  reply: closed({ settings: ScanSettingsSchema, changed: Type.Boolean() }),
});
export type UpdateScanningRequest = Static<typeof UpdateScanning.request>;
export type UpdateScanningReply = Static<typeof UpdateScanning.reply>;
