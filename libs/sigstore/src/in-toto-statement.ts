import { digestHex } from '@packs/domain';
import { digestOf, type ArtifactSubject } from './artifact-subject';
import { invalid } from './signature-fault';
import { JsonFault, parseStrictJson, type JsonLimits } from './strict-json';

export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

const STATEMENT_TYPES = ['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'];
const MAX_SUBJECTS = 1024;

/**
 * Reads a statement that is about one of the artifacts: one of its subjects must carry that artifact's SHA-256 or SHA-512, and
 * none that is not its.
 * Members beyond `_type`, `subject` and `predicateType` belong to the predicate's author and are left alone (in-toto Statement v1, "Parsing rules").
 * @throws SignatureFault for any other payload
 */
export function readStatementAbout(
  payload: Uint8Array,
  artifacts: readonly ArtifactSubject[],
  limits?: JsonLimits,
): { readonly predicateType: string } {
  const statement = readObject(payload, limits);
  if (!STATEMENT_TYPES.includes(String(statement['_type']))) throw unusable('the payload is not an in-toto statement v0.1 or v1');
  const predicateType = statement['predicateType'];
  if (typeof predicateType !== 'string' || predicateType === '') throw unusable('the statement has no predicateType');
  const subjects = statement['subject'];
  if (!Array.isArray(subjects) || subjects.length === 0) throw unusable('the statement has no subject');
  if (subjects.length > MAX_SUBJECTS) throw unusable(`the statement has more than ${MAX_SUBJECTS} subjects`);
  const told = subjects.map(digestSet).flatMap(set => artifacts.map(artifact => isSame(set, artifact)));
  if (told.includes(true)) return { predicateType };
  if (told.includes(undefined)) throw invalid('the statement names its subject by SHA-512', 'subject-bytes-needed');
  throw invalid('no subject of the statement is this artifact', 'subject-mismatch');
}

/** Undefined where that cannot be told without the bytes: so that an answer does not depend on whether they happen to be at hand. */
function isSame({ sha256, sha512 }: DigestSet, artifact: ArtifactSubject): boolean | undefined {
  if (sha256 === undefined && sha512 === undefined) return false;
  if (sha256 !== undefined && sha256 !== digestHex(artifact.digest)) return false;
  if (sha512 === undefined || (sha256 !== undefined && artifact.hashes === 'unknown')) return true;
  const own = digestOf(artifact, 'sha512');
  return own && sha512 === own.toString('hex');
}

function readObject(payload: Uint8Array, limits?: JsonLimits): Readonly<Record<string, unknown>> {
  try {
    const value = parseStrictJson(payload, limits);
    if (isObject(value)) return value;
  } catch (error) {
    throw error instanceof JsonFault ? unusable(`the payload is ${error.message}`) : error;
  }
  throw unusable('the payload is not a JSON object');
}

interface DigestSet {
  readonly sha256: unknown;
  readonly sha512: unknown;
}

function digestSet(subject: unknown): DigestSet {
  if (!isObject(subject) || !isObject(subject['digest'])) throw unusable('a subject of the statement has no digest set');
  return { sha256: subject['digest']['sha256'], sha512: subject['digest']['sha512'] };
}

function unusable(message: string) {
  return invalid(message, 'statement-invalid');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
