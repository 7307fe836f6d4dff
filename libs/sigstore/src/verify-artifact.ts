import { createHash } from 'node:crypto';
import { DomainError, type Digest } from '@packs/domain';
import { isEqual, type ClaimedDigest } from './artifact-subject';
import type { LoadedKey } from './public-key';
import { invalid } from './signature-fault';
import { needsWholeMessage, streamVerifier, verifyMessage } from './signature-scheme';

export interface Attempt {
  readonly key: LoadedKey;
  readonly signature: Buffer;
}

export interface Artifact {
  readonly artifact: () => AsyncIterable<Uint8Array>;
  readonly digest: Digest;
  readonly size: number;
}

/** Ed25519 messages are held in memory up to this size. */
const MAX_WHOLE_MESSAGE = 64 * 1024 * 1024;

/** Every attempt hashes the artifact again, because Node verifies no digest that was made elsewhere. */
const MAX_HASHED_BYTES = 8 * 1024 ** 3;

/** One way of looking at the artifact's bytes as they pass. */
interface Reader {
  update(chunk: Uint8Array): void;
  /** The first attempt that verifies. */
  end(): Attempt | undefined;
}

/**
 * The first attempt that verifies over the artifact's bytes. Reads them once, and proves in the same pass that they are those of the digest, and of
 * what the signature document claims.
 * @throws SignatureFault for a claim by another hash that is not of these bytes
 */
export async function verifyArtifact(
  source: Artifact,
  attempts: readonly Attempt[],
  claimed?: ClaimedDigest,
): Promise<Attempt | undefined> {
  const readers = [...wholeReaders(source.size, attempts), ...streamReaders(source.size, attempts)];
  const hash = createHash('sha256');
  const claim = claimed && createHash(claimed.hash);
  let size = 0;
  for await (const chunk of source.artifact()) {
    size += chunk.length;
    if (size > source.size) break;
    hash.update(chunk);
    claim?.update(chunk);
    for (const reader of readers) reader.update(chunk);
  }
  if (size !== source.size || `sha256:${hash.digest('hex')}` !== source.digest) {
    throw new DomainError('ERR_PACK_CORRUPT', `the bytes read are not those of ${source.digest}`, { retry: 'later' });
  }
  if (claimed && claim && !isEqual(claim.digest(), claimed.value)) {
    throw invalid('the signature is about another artifact', 'subject-mismatch');
  }
  for (const reader of readers) {
    const found = reader.end();
    if (found) return found;
  }
  return undefined;
}

function wholeReaders(size: number, all: readonly Attempt[]): Reader[] {
  const attempts = all.filter(({ key }) => needsWholeMessage(key));
  if (attempts.length === 0) return [];
  if (size > MAX_WHOLE_MESSAGE) {
    throw invalid(
      `Ed25519 signs artifacts of at most ${MAX_WHOLE_MESSAGE} bytes directly; sign an in-toto statement (DSSE) about this one instead`,
    );
  }
  const message = Buffer.allocUnsafe(size);
  let filled = 0;
  return [
    {
      update: chunk => {
        message.set(chunk, filled);
        filled += chunk.length;
      },
      end: () => attempts.find(({ key, signature }) => verifyMessage(key, message, signature)),
    },
  ];
}

function streamReaders(size: number, all: readonly Attempt[]): Reader[] {
  const attempts = all.filter(({ key }) => !needsWholeMessage(key));
  if (attempts.length > 1 && attempts.length * size > MAX_HASHED_BYTES) {
    throw invalid('a signature of an artifact of this size must name its key: too many trusted keys could have made it');
  }
  return attempts.map(attempt => {
    const verifier = streamVerifier(attempt.key);
    return { update: verifier.update, end: () => (verifier.verify(attempt.signature) ? attempt : undefined) };
  });
}
