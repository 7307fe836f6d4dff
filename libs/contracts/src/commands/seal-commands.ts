import { Type, type Static } from '@sinclair/typebox';
import { closed, origin } from '../contract-types';
import { SEAL_REASON_MAX, SealSchema } from '../seal';
import { command } from './command-contract';

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
