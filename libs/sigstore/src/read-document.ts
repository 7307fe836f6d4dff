import { MEDIA_TYPES, type SignatureMediaType } from '@packs/domain';
import { dsseEnvelope } from './dsse-envelope';
import { readRawSignature } from './raw-signature';
import { invalid, SignatureFault } from './signature-fault';
import { keyMade, type SignedDocument } from './signed-document';
import { readBundle } from './sigstore-bundle';
import { readSimpleDocument } from './simple-signature';
import { JsonFault, parseStrictJson, type JsonLimits } from './strict-json';

/** @throws SignatureFault for whatever is not in the form of its media type */
export function readDocument(mediaType: SignatureMediaType, content: Uint8Array, limits?: JsonLimits): SignedDocument {
  return guarded(() => {
    if (mediaType === MEDIA_TYPES.rawSignature) return keyMade(readRawSignature(content));
    const json = parseStrictJson(content, limits);
    if (mediaType === MEDIA_TYPES.dsseEnvelope) return keyMade(dsseEnvelope(json, ''));
    return mediaType === MEDIA_TYPES.simpleSignature ? readSimpleDocument(json) : readBundle(json);
  });
}

/** For files that nobody gave a media type: told apart by their members, which no two forms share. @throws SignatureFault */
export function readAnyDocument(content: Uint8Array, limits?: JsonLimits): SignedDocument {
  return guarded(() => {
    if (content[0] !== JSON_OBJECT) return keyMade(readRawSignature(content));
    const json = parseStrictJson(content, limits);
    const has = (name: string): boolean => typeof json === 'object' && json !== null && Object.hasOwn(json, name);
    if (has('payloadType')) return keyMade(dsseEnvelope(json, ''));
    return has('signature') ? readSimpleDocument(json) : readBundle(json);
  });
}

const JSON_OBJECT = 0x7b;

function guarded(read: () => SignedDocument): SignedDocument {
  try {
    return read();
  } catch (error) {
    if (error instanceof SignatureFault) throw error;
    throw invalid(error instanceof JsonFault ? `the signature document is ${error.message}` : 'the signature document is not readable');
  }
}
