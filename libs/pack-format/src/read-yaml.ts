import { DomainError } from '@packs/domain';
import { CORE_SCHEMA, YAMLException, constructFromEvents, parseEvents, realMapTag, type Event } from 'js-yaml';

const MAX_DEPTH = 32;

/** Maps keep their keys' types and have no prototype to reach; they become plain objects after their keys were checked. */
const SCHEMA = CORE_SCHEMA.withTags(realMapTag);

/** Escapes can bring in what YAML forbids in the open; PostgreSQL has no U+0000 and terminals obey the others. */
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/;

/**
 * Reads one YAML 1.2 document (core schema) whose value JSON can express exactly: no anchors, aliases or merge keys, no key twice.
 * @throws DomainError ERR_PACK_MANIFEST_YAML with the place, by line and column or by JSON pointer
 */
export function readYaml(bytes: Uint8Array): unknown {
  const source = decode(bytes);
  let documents: unknown[];
  try {
    const events = parseEvents(source, { maxDepth: MAX_DEPTH });
    for (const event of events) refuseReference(source, event);
    documents = constructFromEvents(events, { source, schema: SCHEMA, maxAliases: 0 });
  } catch (error) {
    throw yamlError(error);
  }
  if (documents.length !== 1) throw fault('must be exactly one YAML document');
  return toPlain(documents[0], '');
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw fault('is not UTF-8', undefined, cause);
  }
}

function refuseReference(source: string, event: Event): void {
  if ('anchorStart' in event && event.anchorStart >= 0)
    YAMLException.throwAt(source, event.anchorStart, 'anchors and aliases are not allowed');
}

function toPlain(value: unknown, pointer: string): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return plainString(value, pointer);
  if (typeof value === 'number') return plainNumber(value, pointer);
  if (Array.isArray(value)) return value.map((item, at) => toPlain(item, `${pointer}/${at}`));
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => plainMember(key, item, pointer)));
  throw fault('has a value that JSON cannot express', pointer);
}

function plainMember(key: unknown, item: unknown, pointer: string): [string, unknown] {
  if (typeof key !== 'string') throw fault('has a key that is not text; put it in quotes', pointer);
  if (key === '<<') throw fault('has a merge key', pointer);
  if (key === '__proto__') throw fault('has a key that is not allowed', pointer);
  return [plainString(key, pointer), toPlain(item, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)];
}

function plainString(text: string, pointer: string): string {
  if (!text.isWellFormed()) throw fault('has half of a surrogate pair', pointer);
  if (CONTROL.test(text)) throw fault('has a control character', pointer);
  return text;
}

function plainNumber(value: number, pointer: string): number {
  if (!Number.isFinite(value) || Object.is(value, -0)) throw fault('has a number that JSON cannot express', pointer);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw fault('has a number that loses digits; put it in quotes', pointer);
  return value;
}

function yamlError(error: unknown): DomainError {
  if (!(error instanceof YAMLException)) return fault('is not YAML', undefined, error);
  const place = error.mark ? ` (line ${error.mark.line + 1}, column ${error.mark.column + 1})` : '';
  return fault(`is not acceptable YAML: ${error.reason}${place}`, undefined, error);
}

function fault(message: string, pointer?: string, cause?: unknown): DomainError {
  const where = pointer === undefined ? '' : ` at ${pointer === '' ? 'the root' : pointer}`;
  const errors = pointer === undefined ? [] : [{ pointer, message }];
  return new DomainError('ERR_PACK_MANIFEST_YAML', `pack.yaml${where} ${message}`, { errors, cause });
}
