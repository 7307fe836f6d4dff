import { BUNDLE_V01_MEDIA_TYPE, BUNDLE_V02_MEDIA_TYPE, BUNDLE_V03_LEGACY_MEDIA_TYPE, BUNDLE_V03_MEDIA_TYPE } from '@sigstore/bundle';
import { MEDIA_TYPES } from '@packs/domain';
import { ATTESTATION_LIMITS } from './attestation-limits';
import { decodeBase64 } from './canonical-base64';
import { IN_TOTO_PAYLOAD_TYPE } from './in-toto-statement';
import { parseStrictJson } from './strict-json';
import { PREDICATE_TYPE } from './verify-attestation';

/** What cosign 3 states of an image that it signs. */
const COSIGN_SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';

/** What a document that came as a referrer is there for. A statement other than cosign's own is an attestation, and no signature of what it is about. */
export type DescribedDocument = { readonly kind: 'signature' } | { readonly kind: 'attestation'; readonly predicateType: string };

const BUNDLES: readonly unknown[] = [BUNDLE_V01_MEDIA_TYPE, BUNDLE_V02_MEDIA_TYPE, BUNDLE_V03_LEGACY_MEDIA_TYPE, BUNDLE_V03_MEDIA_TYPE];
const RAW_MAX_BYTES = 2048;
const SIGNATURE: DescribedDocument = { kind: 'signature' };

/**
 * Tells signatures from attestations by what would be verified of them, not by annotations. Nothing is verified here, and keyless ones are told as well.
 * @returns undefined for what has not the shape of its media type
 */
export function describeDocument(mediaType: string, content: Uint8Array): DescribedDocument | undefined {
  if (mediaType === MEDIA_TYPES.rawSignature) return content.length > 0 && content.length <= RAW_MAX_BYTES ? SIGNATURE : undefined;
  const document = objectOf(content);
  if (mediaType === MEDIA_TYPES.simpleSignature) {
    return typeof document['payload'] === 'string' && typeof document['signature'] === 'string' ? SIGNATURE : undefined;
  }
  if (mediaType === MEDIA_TYPES.dsseEnvelope) return describeEnvelope(document);
  if (mediaType !== MEDIA_TYPES.sigstoreBundle || !BUNDLES.includes(document['mediaType'])) return undefined;
  if (isObject(document['messageSignature'])) return SIGNATURE;
  return isObject(document['dsseEnvelope']) ? describeEnvelope(document['dsseEnvelope']) : undefined;
}

function describeEnvelope({ payload, payloadType, signatures }: Readonly<Record<string, unknown>>): DescribedDocument | undefined {
  if (payloadType !== IN_TOTO_PAYLOAD_TYPE || typeof payload !== 'string' || !Array.isArray(signatures)) return undefined;
  const { predicateType } = objectOf(decodeBase64(payload) ?? Buffer.alloc(0));
  if (typeof predicateType !== 'string' || !PREDICATE_TYPE.test(predicateType)) return undefined;
  return predicateType === COSIGN_SIGN_PREDICATE ? SIGNATURE : { kind: 'attestation', predicateType };
}

function objectOf(content: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value = parseStrictJson(content, ATTESTATION_LIMITS);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
