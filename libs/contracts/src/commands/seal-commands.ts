import { Type, type Static } from '@sinclair/typebox';
import { closed, nullable, TenantSchema } from '../contract-types';
import { SEAL_REASON_MAX, SealSchema } from '../seal';
import { command } from './command-contract';

/** Who caused a command: copied into the events it leads to. */
const origin = {
  tenant: TenantSchema,
  actor: Type.String({ minLength: 1, maxLength: 256 }),
  source: nullable(Type.String({ maxLength: 256 })),
};

const reply = closed({ seal: SealSchema, changed: Type.Boolean() });

/** Seals the tenant at once, or asks for the approvals that unseal it. */
export const UpdateSeal = command({
  subject: 'cmd.publisher.update-seal',
  timeoutMs: 30_000,
  request: closed({ ...origin, sealed: Type.Boolean(), reason: Type.String({ minLength: 1, maxLength: SEAL_REASON_MAX }) }),
  reply,
});
export type UpdateSealRequest = Static<typeof UpdateSeal.request>;
export type SealReply = Static<typeof reply>;

/** Approves the open request to unseal the tenant; the last approval needed unseals it. */
export const ApproveUnseal = command({ subject: 'cmd.publisher.approve-unseal', timeoutMs: 30_000, request: closed(origin), reply });
export type ApproveUnsealRequest = Static<typeof ApproveUnseal.request>;
