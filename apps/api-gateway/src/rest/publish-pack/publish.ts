import { randomUUID } from 'node:crypto';
import { PublishPack, publishTimeoutMs, type PublishAnswer } from '@packs/contracts';
import { DomainError, parsePackId, parseVersion, type Digest, type Principal } from '@packs/domain';
import type { CommandBus } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { originOf } from '../../http/origin';
import type { ReceivedBundle } from './receive-bundle';

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,128}$/;

export interface Publication {
  readonly packId: string | null;
  readonly version: string | null;
  readonly channel: string;
  readonly received: ReceivedBundle;
  readonly manifestDigest: Digest | null;
}

/** Checked before the body is read, so that a bad request costs nobody an upload. */
export function idempotencyKeyOf(request: FastifyRequest): string {
  const key = request.headers['idempotency-key'];
  // Without a client's key the command still has one: it may be sent twice.
  if (key === undefined) return randomUUID();
  if (typeof key === 'string' && IDEMPOTENCY_KEY.test(key)) return key;
  throw new DomainError('ERR_PACK_REQUEST_INVALID', 'Idempotency-Key must have 1 to 128 visible ASCII characters', {
    errors: [{ field: 'Idempotency-Key', message: 'must have 1 to 128 visible ASCII characters' }],
  });
}

/**
 * Has stored bytes published, and turns the publisher's answer into HTTP's.
 * @returns the answer, and its status: 201 for a new version, 200 for one that was there, 202 for one that waits for signatures
 * @throws DomainError ERR_PACK_VERDICT_REJECTED with the verdict and its faults
 */
export async function publish(
  commands: CommandBus,
  publication: Publication,
  caller: Principal,
  request: FastifyRequest,
): Promise<{ answer: PublishAnswer; status: 200 | 201 | 202 }> {
  const command = {
    ...originOf(caller, request),
    packId: publication.packId === null ? null : parsePackId(publication.packId),
    version: publication.version === null ? null : parseVersion(publication.version),
    channel: publication.channel,
    bundle: publication.received.bundle,
    ...(publication.received.artifact && { artifact: publication.received.artifact }),
    signatures: [...publication.received.signatures],
    manifestDigest: publication.manifestDigest,
    idempotencyKey: idempotencyKeyOf(request),
  };
  const reply = await commands.send(PublishPack, command, publishTimeoutMs(publication.received.bundle.size));
  if (reply.outcome === 'rejected') {
    throw new DomainError('ERR_PACK_VERDICT_REJECTED', 'the pack was not accepted: see errors', {
      details: { verdict: { ...reply.verdict, hash: reply.verdictHash } },
      errors: reply.faults,
    });
  }
  const { packId, version, digest, manifestDigest, size, channel, verdictHash } = reply;
  const answer: PublishAnswer = {
    packId,
    version,
    tenant: caller.tenant,
    digest,
    manifestDigest,
    size,
    channel,
    state: reply.outcome === 'pending' ? 'pending' : 'published',
    verdict: verdictHash,
  };
  if (reply.outcome !== 'pending') return { answer, status: reply.outcome === 'published' ? 201 : 200 };
  const lacks = reply.faults.map(({ code, reason, message }) => ({ code, ...(reason !== undefined && { reason }), message }));
  return { answer: { ...answer, expiresAt: reply.expiresAt, lacks }, status: 202 };
}
