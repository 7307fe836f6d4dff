import type { RotateSignatureReply, RotateSignatureRequest } from '@packs/contracts';
import { canonicalDigest, DomainError, type Digest } from '@packs/domain';
import type { RegistryTx } from '@packs/ports';

/** @throws DomainError ERR_PACK_IDEMPOTENCY_MISMATCH */
export async function earlierAnswer(tx: RegistryTx, request: RotateSignatureRequest): Promise<RotateSignatureReply | undefined> {
  if (request.idempotencyKey === null) return undefined;
  const earlier = await tx.idempotency.find(request.tenant, request.idempotencyKey);
  if (earlier && earlier.requestHash !== hashOf(request)) {
    throw new DomainError('ERR_PACK_IDEMPOTENCY_MISMATCH', 'this Idempotency-Key was used for a different request', {
      errors: [{ field: 'Idempotency-Key', message: 'was used for a different request' }],
    });
  }
  // A request of another kind has another hash.
  return earlier?.reply as RotateSignatureReply | undefined;
}

export async function keepAnswer(tx: RegistryTx, request: RotateSignatureRequest, reply: RotateSignatureReply): Promise<void> {
  if (request.idempotencyKey !== null) await tx.idempotency.put(request.tenant, request.idempotencyKey, hashOf(request), reply);
}

function hashOf({ packId, version, signatures, replaces, reason }: RotateSignatureRequest): Digest {
  return canonicalDigest({ rotates: { packId, version, signatures: signatures.map(({ digest }) => digest), replaces, reason } });
}
