import { DomainError } from './domain-error';

/** Distinct approvers that end a seal, none of them who asked for it. */
const UNSEAL_APPROVALS = 2;
/** A request to unseal that was not approved in this time is void. */
const UNSEAL_REQUEST_MS = 24 * 60 * 60 * 1000;

/** What sealed a tenant: the environment of the processes, which no request changes, or its administrator. */
export type SealedBy = 'configuration' | 'api';

export interface UnsealRequest {
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly expiresAt: string;
  readonly reason: string;
  readonly approvals: readonly { readonly by: string; readonly at: string }[];
}

/** Whether a tenant's content may change. Times are RFC 3339. */
export interface Seal {
  readonly sealed: boolean;
  readonly by: SealedBy | null;
  /** When it became so; null for what nobody ever changed. */
  readonly since: string | null;
  readonly changedBy: string | null;
  readonly reason: string | null;
  readonly pendingUnseal: UnsealRequest | null;
}

/** Who wants a change of the seal, when and why. */
export interface SealChange {
  readonly actor: string;
  readonly at: Date;
  readonly reason: string;
}

export const UNSEALED: Seal = { sealed: false, by: null, since: null, changedBy: null, reason: null, pendingUnseal: null };
export const SEALED_BY_CONFIGURATION: Seal = { ...UNSEALED, sealed: true, by: 'configuration' };

/** @throws DomainError ERR_PACK_SEALED when there is a seal */
export function requireUnsealed(by: SealedBy | null): void {
  if (by === null) return;
  const how = by === 'configuration' ? 'by its configuration, which no request changes' : 'by its administrator';
  throw new DomainError('ERR_PACK_SEALED', `the registry is sealed ${how}: only the import of a kit changes it`, {
    details: { sealedBy: by },
  });
}

/** The seal as of `at`: a request to unseal that ran out is none. */
export function sealAt(seal: Seal, at: Date): Seal {
  const { pendingUnseal } = seal;
  return pendingUnseal && Date.parse(pendingUnseal.expiresAt) <= at.getTime() ? { ...seal, pendingUnseal: null } : seal;
}

/** Sealing what is sealed takes an open request to unseal back, and changes nothing else. */
export function sealed(current: Seal, { actor, at, reason }: SealChange): Seal {
  if (current.sealed) return current.pendingUnseal === null ? current : { ...current, pendingUnseal: null };
  return { sealed: true, by: 'api', since: at.toISOString(), changedBy: actor, reason, pendingUnseal: null };
}

/** @throws DomainError ERR_PACK_SEALED when no request can end the seal, ERR_PACK_CONFLICT when somebody else asked already */
export function unsealRequested(current: Seal, { actor, at, reason }: SealChange): Seal {
  if (!current.sealed) return current;
  if (current.by === 'configuration') requireUnsealed(current.by);
  const { pendingUnseal } = sealAt(current, at);
  if (pendingUnseal?.requestedBy === actor) return current;
  if (pendingUnseal)
    throw new DomainError('ERR_PACK_CONFLICT', `${pendingUnseal.requestedBy} asked to unseal already; that request is open`);
  const expiresAt = new Date(at.getTime() + UNSEAL_REQUEST_MS).toISOString();
  return { ...current, pendingUnseal: { requestedBy: actor, requestedAt: at.toISOString(), expiresAt, reason, approvals: [] } };
}

/**
 * The seal after one more approval; the last needed ends it.
 * @throws DomainError ERR_PACK_SEALED, ERR_PACK_NOT_FOUND without an open request, ERR_PACK_APPROVAL for an approver who does not count
 */
export function unsealApproved(current: Seal, { actor, at }: Omit<SealChange, 'reason'>): Seal {
  if (current.by === 'configuration') requireUnsealed(current.by);
  const { pendingUnseal: request } = sealAt(current, at);
  if (!request) throw new DomainError('ERR_PACK_NOT_FOUND', 'there is no open request to unseal');
  if (request.requestedBy === actor) throw new DomainError('ERR_PACK_APPROVAL', 'who asks to unseal cannot approve it');
  if (request.approvals.some(({ by }) => by === actor))
    throw new DomainError('ERR_PACK_APPROVAL', 'you approved it already; another has to');
  const approvals = [...request.approvals, { by: actor, at: at.toISOString() }];
  if (approvals.length < UNSEAL_APPROVALS) return { ...current, pendingUnseal: { ...request, approvals } };
  const { requestedBy: changedBy, reason } = request;
  return { sealed: false, by: null, since: at.toISOString(), changedBy, reason, pendingUnseal: null };
}
