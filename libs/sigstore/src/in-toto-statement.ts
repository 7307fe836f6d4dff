import { digestHex, type Digest } from '@packs/domain';
import { invalid } from './signature-fault';
import { JsonFault, parseStrictJson, type JsonLimits } from './strict-json';

export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

const STATEMENT_TYPES = ['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'];
const MAX_SUBJECTS = 1024;

/**
 * Reads a statement that is about one of the artifacts: one of its subjects must carry that artifact's SHA-256.
 * Members beyond `_type`, `subject` and `predicateType` belong to the predicate's author and are left alone (in-toto Statement v1, "Parsing rules").
 * @throws SignatureFault for any other payload
 */
export function readStatementAbout(
  payload: Uint8Array,
  digests: readonly Digest[],
  limits?: JsonLimits,
): { readonly predicateType: string } {
  const statement = readObject(payload, limits);
  if (!STATEMENT_TYPES.includes(String(statement['_type']))) throw invalid('the payload is not an in-toto statement v0.1 or v1');
  const predicateType = statement['predicateType'];
  if (typeof predicateType !== 'string' || predicateType === '') throw invalid('the statement has no predicateType');
  const subjects = statement['subject'];
  if (!Array.isArray(subjects) || subjects.length === 0) throw invalid('the statement has no subject');
  if (subjects.length > MAX_SUBJECTS) throw invalid(`the statement has more than ${MAX_SUBJECTS} subjects`);
  const wanted: readonly unknown[] = digests.map(digestHex);
  if (!subjects.some(subject => wanted.includes(sha256Of(subject)))) throw invalid('no subject of the statement is this artifact');
  return { predicateType };
}

function readObject(payload: Uint8Array, limits?: JsonLimits): Readonly<Record<string, unknown>> {
  try {
    const value = parseStrictJson(payload, limits);
    if (isObject(value)) return value;
  } catch (error) {
    throw error instanceof JsonFault ? invalid(`the payload is ${error.message}`) : error;
  }
  throw invalid('the payload is not a JSON object');
}

function sha256Of(subject: unknown): unknown {
  if (!isObject(subject) || !isObject(subject['digest'])) throw invalid('a subject of the statement has no digest set');
  return subject['digest']['sha256'];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
