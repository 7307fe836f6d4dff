import { digestHex, type Digest } from '@packs/domain';
import { invalid } from './signature-fault';
import { JsonFault, parseStrictJson } from './strict-json';

export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

const STATEMENT_TYPES = ['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'];
const MAX_SUBJECTS = 1024;

/**
 * Refuses a statement that is not about the artifact: one of its subjects must carry the artifact's SHA-256.
 * Members beyond `_type`, `subject` and `predicateType` belong to the predicate's author and are left alone (in-toto Statement v1, "Parsing rules").
 */
export function assertStatementAbout(payload: Uint8Array, digest: Digest): void {
  const statement = readObject(payload);
  if (!STATEMENT_TYPES.includes(String(statement['_type']))) throw invalid('the payload is not an in-toto statement v0.1 or v1');
  if (typeof statement['predicateType'] !== 'string' || statement['predicateType'] === '')
    throw invalid('the statement has no predicateType');
  const subjects = statement['subject'];
  if (!Array.isArray(subjects) || subjects.length === 0) throw invalid('the statement has no subject');
  if (subjects.length > MAX_SUBJECTS) throw invalid(`the statement has more than ${MAX_SUBJECTS} subjects`);
  const hex = digestHex(digest);
  if (!subjects.some(subject => sha256Of(subject) === hex)) throw invalid('no subject of the statement is this artifact');
}

function readObject(payload: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value = parseStrictJson(payload);
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
