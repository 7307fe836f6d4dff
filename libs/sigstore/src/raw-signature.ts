import { decodeBase64 } from './canonical-base64';
import { invalid } from './signature-fault';
import type { SignedMessage } from './signed-content';

/** The longest signature is that of an 8192 bit RSA key. */
const MAX_BYTES = 1024;
const MAX_TEXT = 2048;

const BASE64_TEXT = /^[A-Za-z0-9+/\r\n]+={0,2}[\r\n]*$/;

/** Signature bytes as they are, or their base64, which tools wrap in lines and end with a line feed. */
export function readRawSignature(content: Uint8Array): SignedMessage {
  if (content.length > MAX_TEXT) throw invalid(`a raw signature has at most ${MAX_BYTES} bytes`);
  const signature = decodeText(Buffer.from(content).toString('latin1')) ?? Buffer.from(content);
  if (signature.length === 0 || signature.length > MAX_BYTES) throw invalid(`a raw signature has 1 to ${MAX_BYTES} bytes`);
  return { kind: 'message', signature, keyHint: '' };
}

function decodeText(text: string): Buffer | undefined {
  if (!BASE64_TEXT.test(text)) return undefined;
  const bytes = decodeBase64(text.replace(/\r?\n/g, ''));
  if (!bytes) throw invalid('the signature is not canonical base64');
  return bytes;
}
