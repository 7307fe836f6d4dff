import { Type } from '@sinclair/typebox';
import { DigestSchema } from '../contract-types';
import { SelectionSchema } from '../selection';
import { event, type EventContract } from './event-contract';

const Count = Type.Integer({ minimum: 0 });

export const KitExported = event('mirror.kit.exported', 'mirror-worker', 'An offline kit was made and signed.', {
  digest: DigestSchema,
  /** The audit `seq` it was made as of. */
  generation: Type.Integer({ minimum: 1 }),
  selection: SelectionSchema,
  versions: Count,
  size: Count,
  signature: DigestSchema,
  /** Of the key that signed it. */
  exporter: DigestSchema,
});

export const KitImported = event('mirror.kit.imported', 'publisher', 'Everything an offline kit holds can now be read.', {
  digest: DigestSchema,
  generation: Type.Integer({ minimum: 1 }),
  /** The audit log it was made from, by its first leaf. */
  log: DigestSchema,
  selection: SelectionSchema,
  versions: Count,
  /** Those that were not there before. */
  added: Count,
  size: Count,
  exporter: DigestSchema,
  acceptTrust: Type.Boolean(),
});

export const KitRefused = event('mirror.kit.refused', 'mirror-worker', 'An offline kit was not imported; nothing of it was kept.', {
  digest: DigestSchema,
  size: Count,
  /** ERR_… code. */
  reason: Type.String(),
});

export const ExportersUpdated = event('registry.exporters.updated', 'publisher', 'A tenant takes kits from other exporters than before.', {
  digest: DigestSchema,
  keyIds: Type.Array(DigestSchema),
});

export const KIT_EVENTS: readonly EventContract[] = [KitExported, KitImported, KitRefused, ExportersUpdated];
