import { canonicalJson, type Digest } from '@packs/domain';
import { base64, object } from './json-shape';
import { invalid } from './signature-fault';
import { JsonFault, parseStrictJson } from './strict-json';

/** A signature over a text of the "simple signing" format, as cosign 2 makes them of images. */
export interface SimpleSignature {
  readonly kind: 'simple';
  readonly payload: Buffer;
  readonly signature: Buffer;
  readonly keyHint: string;
}

const DOCUMENT = object({ payload: base64, signature: base64 }, {});
/** cosign SIGNATURE_SPEC.md, "Payloads". */
const TYPES: readonly unknown[] = ['cosign container image signature', 'atomic container signature'];

/** cosign 2 keeps the two apart, as a layer and its annotation; this is both in one document. */
export function encodeSimpleSignature(payload: Uint8Array, signature: Uint8Array): Buffer {
  return Buffer.from(
    canonicalJson({ payload: Buffer.from(payload).toString('base64'), signature: Buffer.from(signature).toString('base64') }),
  );
}

export function readSimpleSignature(json: unknown): SimpleSignature {
  return { kind: 'simple', ...DOCUMENT(json, ''), keyHint: '' };
}

/** Whether a payload whose signature was verified speaks of this manifest. @throws SignatureFault */
export function requireAbout(payload: Uint8Array, manifest: Digest): void {
  const critical = member(parse(payload), 'critical');
  if (!TYPES.includes(member(critical, 'type'))) throw invalid('the payload is not that of an image signature');
  if (member(member(critical, 'image'), 'docker-manifest-digest') !== manifest) throw invalid('the payload is not about this manifest');
}

function parse(payload: Uint8Array): unknown {
  try {
    return parseStrictJson(payload);
  } catch (error) {
    throw error instanceof JsonFault ? invalid(`the payload is ${error.message}`) : error;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
