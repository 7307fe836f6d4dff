import { CarryReferrers, FetchArtifact, REFERENCE_MAX, type NotCarried, type PublishAnswer } from '@packs/contracts';
import { DomainError, type Digest, type Principal } from '@packs/domain';
import type { CommandBus } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { originOf } from '../../http/origin';
import type { ReceivedBundle } from './receive-bundle';

/** Whether the body says where the pack is, in place of being it. */
export function namesReference(request: FastifyRequest): boolean {
  return request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
}

/** Has the pack of `{"reference": …}` brought into the blob store. @throws DomainError ERR_PACK_REQUEST_INVALID, ERR_PACK_DIGEST_MISMATCH */
export async function fetchReference(
  commands: CommandBus,
  request: FastifyRequest,
  caller: Principal,
  { digest, maxBundleBytes }: { readonly digest: Digest | undefined; readonly maxBundleBytes: number },
): Promise<ReceivedBundle> {
  const reference = referenceIn(request.body);
  const { bundle, artifact, signatures } = await commands.send(FetchArtifact, { ...originOf(caller, request), reference, maxBundleBytes });
  if (digest === undefined || bundle.digest === digest) return { bundle, artifact, signatures };
  throw new DomainError('ERR_PACK_DIGEST_MISMATCH', `the bundle there is ${bundle.digest}`, {
    details: { expected: digest, actual: bundle.digest },
  });
}

/**
 * Has what refers to the pack brought, once it is published. The version stays whatever becomes of this: what did not come is told.
 */
export async function carryReferrers(
  commands: CommandBus,
  request: FastifyRequest,
  caller: Principal,
  { received, answer }: { readonly received: ReceivedBundle; readonly answer: PublishAnswer },
): Promise<readonly NotCarried[]> {
  const carried = received.signatures.flatMap(({ referrer }) => (referrer ? [referrer.manifest.digest] : []));
  const { packId, manifestDigest } = answer;
  const about = { reference: referenceIn(request.body), packId, subject: manifestDigest as Digest, carried };
  try {
    return (await commands.send(CarryReferrers, { ...originOf(caller, request), ...about })).notCarried;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return [{ what: '*', code: error.code, reason: error.message }];
  }
}

function referenceIn(body: unknown): string {
  const { reference, ...more } = (typeof body === 'object' && body !== null ? body : {}) as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) throw invalid(unknown, 'is not a member of a publish by reference');
  if (typeof reference === 'string' && reference.length > 0 && reference.length <= REFERENCE_MAX) return reference;
  throw invalid('reference', `must be a text of at most ${REFERENCE_MAX} characters`);
}

function invalid(field: string, message: string): DomainError {
  return new DomainError('ERR_PACK_REQUEST_INVALID', `${field} ${message}`, { errors: [{ field, message }] });
}
