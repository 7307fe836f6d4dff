import { canonicalJson } from '@packs/domain';
import type { ArtifactSubject } from './artifact-subject';
import { memberAt } from './json-member';
import { base64, object, text } from './json-shape';
import { layerAnnotations, readAnnotations } from './legacy-bundle';
import { invalid, untrusted } from './signature-fault';
import type { SignedContent } from './signed-content';
import type { SignedDocument } from './signed-document';
import { JsonFault, parseStrictJson } from './strict-json';

/** A signature over a text of the "simple signing" format, as cosign 2 makes them of images. */
export interface SimpleSignature {
  readonly kind: 'simple';
  readonly payload: Buffer;
  readonly signature: Buffer;
  readonly keyHint: string;
}

const DOCUMENT = object({ payload: base64, signature: base64 }, { certificate: text, bundle: text });
/** cosign SIGNATURE_SPEC.md, "Payloads". */
const TYPES: readonly unknown[] = ['cosign container image signature', 'atomic container signature'];

/** cosign 2 keeps them apart, as a layer and its annotations; this is all in one document. */
export function encodeSimpleSignature(
  payload: Uint8Array,
  signature: Uint8Array,
  annotations: Readonly<Record<string, unknown>> = {},
): Buffer {
  return Buffer.from(
    canonicalJson({
      payload: Buffer.from(payload).toString('base64'),
      signature: Buffer.from(signature).toString('base64'),
      ...layerAnnotations(annotations),
    }),
  );
}

export function readSimpleDocument(json: unknown): SignedDocument {
  const { payload, signature, ...annotations } = DOCUMENT(json, '');
  return { content: { kind: 'simple', payload, signature, keyHint: '' }, ...readAnnotations(annotations), timestamps: [] };
}

/** What was made with a key. */
export function readSimpleSignature(json: unknown): SignedContent {
  const { content, signer } = readSimpleDocument(json);
  if (signer.kind !== 'key') throw untrusted('keyless not accepted by this policy', 'trust-missing');
  return content;
}

/** That a payload whose signature was verified speaks of one of these artifacts, which has to be one that images can be. @throws SignatureFault */
export function requireAbout(payload: Uint8Array, subjects: readonly ArtifactSubject[]): void {
  const critical = memberAt(parse(payload), 'critical');
  if (!TYPES.includes(memberAt(critical, 'type'))) throw invalid('the payload is not that of an image signature', 'statement-invalid');
  const about = memberAt(critical, 'image', 'docker-manifest-digest');
  if (!subjects.some(({ digest, kind }) => kind !== 'bundle' && digest === about))
    throw invalid('the payload is not about this manifest', 'subject-mismatch');
}

function parse(payload: Uint8Array): unknown {
  try {
    return parseStrictJson(payload);
  } catch (error) {
    throw error instanceof JsonFault ? invalid(`the payload is ${error.message}`, 'statement-invalid') : error;
  }
}
