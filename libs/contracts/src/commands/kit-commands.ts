import { Type, type Static } from '@sinclair/typebox';
import { BlobRefSchema, closed, DigestSchema, nullable, origin } from '../contract-types';
import { SelectionSchema } from '../selection';
import { command } from './command-contract';

/** Chosen by the asker, so that a request that is repeated makes no second job. */
const JobId = Type.String({ pattern: '^[0-9A-HJKMNP-TV-Z]{26}$' });

/** Asks for a kit of the selected versions. The kit is made later, as of `seq` or of the moment when it is begun. */
export const ExportKit = command({
  subject: 'cmd.mirror-worker.export-kit',
  timeoutMs: 10_000,
  request: closed({ ...origin, id: JobId, selection: SelectionSchema, seq: nullable(Type.Integer({ minimum: 1 })) }),
  reply: closed({ id: JobId }),
});
export type ExportKitRequest = Static<typeof ExportKit.request>;
export type ExportKitReply = Static<typeof ExportKit.reply>;

/** Hands over an uploaded kit and its signature: to be examined, and then imported unless only the report is wanted. */
export const ReceiveKit = command({
  subject: 'cmd.mirror-worker.receive-kit',
  timeoutMs: 10_000,
  request: closed({
    ...origin,
    id: JobId,
    kit: BlobRefSchema,
    signature: BlobRefSchema,
    preflight: Type.Boolean(),
    acceptTrust: Type.Boolean(),
  }),
  reply: closed({ id: JobId }),
});
export type ReceiveKitRequest = Static<typeof ReceiveKit.request>;
export type ReceiveKitReply = Static<typeof ReceiveKit.reply>;

/** Publishes everything a staged kit holds, in one transaction. The plan names the kit's manifest and where each of its blobs lies. */
export const ImportKit = command({
  subject: 'cmd.publisher.import-kit',
  timeoutMs: 600_000,
  request: closed({
    ...origin,
    plan: BlobRefSchema,
    /** Of the whole kit. */
    kit: closed({ digest: DigestSchema, size: Type.Integer({ minimum: 0 }) }),
    signature: BlobRefSchema,
    acceptTrust: Type.Boolean(),
  }),
  reply: closed({
    outcome: Type.Union([Type.Literal('imported'), Type.Literal('unchanged')]),
    added: Type.Integer({ minimum: 0 }),
    known: Type.Integer({ minimum: 0 }),
  }),
});
export type ImportKitRequest = Static<typeof ImportKit.request>;
export type ImportKitReply = Static<typeof ImportKit.reply>;

/** Replaces the keys whose kits the tenant takes by a stored document. */
export const UpdateExporters = command({
  subject: 'cmd.publisher.update-exporters',
  timeoutMs: 10_000,
  request: closed({ ...origin, keys: BlobRefSchema, keyIds: Type.Array(DigestSchema, { maxItems: 64 }) }),
  reply: closed({ digest: DigestSchema, changed: Type.Boolean() }),
});
export type UpdateExportersRequest = Static<typeof UpdateExporters.request>;
export type UpdateExportersReply = Static<typeof UpdateExporters.reply>;
