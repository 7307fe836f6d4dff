import { array, base64, object, text, type Shape } from './json-shape';
import { invalid } from './signature-fault';
import type { SignedEnvelope } from './signed-content';

const MAX_SIGNATURES = 8;

/** `keyid` may be there and is not read: DSSE v1.0 leaves it unauthenticated. */
const ENVELOPE = object(
  { payload: base64, payloadType: text, signatures: array(object({ sig: base64 }, { keyid: text }), MAX_SIGNATURES) },
  {},
);

/** A DSSE envelope in JSON, bare or as a member of a sigstore bundle. */
export const dsseEnvelope: Shape<SignedEnvelope> = (value, at) => {
  const { payload, payloadType, signatures } = ENVELOPE(value, at);
  if (new Set(signatures.map(({ sig }) => sig.toString('base64'))).size !== signatures.length)
    throw invalid('the envelope has a signature twice');
  if (signatures.length === 0) throw invalid('the envelope has no signature');
  return { kind: 'envelope', payload, payloadType, signatures: signatures.map(({ sig }) => sig), keyHint: '' };
};
