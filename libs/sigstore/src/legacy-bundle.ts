import { HASHES, type ClaimedDigest } from './artifact-subject';
import { decodeBase64 } from './canonical-base64';
import { memberAt } from './json-member';
import { base64, object, text, type Shape } from './json-shape';
import { derOfPem } from './log-entry-binding';
import { invalid, SignatureFault } from './signature-fault';
import type { SignedDocument } from './signed-document';
import { JsonFault, parseStrictJson } from './strict-json';

type Entry = SignedDocument['entries'][number];

const integer: Shape<string> = (value, at) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw invalid(`${at} is not a whole number`);
  return String(value);
};

const logId: Shape<Buffer> = (value, at) => {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw invalid(`${at} is not the id of a log in hex`);
  return Buffer.from(value, 'hex');
};

const REKOR = object(
  { SignedEntryTimestamp: base64, Payload: object({ body: base64, integratedTime: integer, logIndex: integer, logID: logId }, {}) },
  {},
);
const BUNDLE = object({ base64Signature: base64 }, { cert: text, rekorBundle: REKOR });

/** Reads what `cosign sign-blob --bundle` wrote before it wrote sigstore bundles (cosign 1 and 2). @throws SignatureFault */
export function readLegacyBundle(json: unknown): SignedDocument {
  const { base64Signature, cert, rekorBundle } = BUNDLE(json, '');
  const entry = rekorBundle && rekorEntry(rekorBundle);
  const der = cert === undefined || cert === '' ? undefined : certificateOf(decodeBase64(cert)?.toString('latin1') ?? cert);
  return {
    content: { kind: 'message', signature: base64Signature, claimed: entry && loggedDigest(entry), keyHint: '' },
    signer: signerOf(der),
    entries: entry ? [entry] : [],
    timestamps: [],
  };
}

/** What cosign writes beside a layer of a `.sig` or `.att` image, as annotations (cosign SIGNATURE_SPEC.md, "Supported Media Types" and "Properties"). */
export interface LayerAnnotations {
  readonly certificate?: string;
  readonly bundle?: string;
}

const CERTIFICATE = 'dev.sigstore.cosign/certificate';
const REKOR_BUNDLE = 'dev.sigstore.cosign/bundle';

/** What is kept of a layer. The log entry of what a key signed says when that was; it is not asked for, so that one that cannot be read is left out. */
export function layerAnnotations(annotations: Readonly<Record<string, unknown>>): LayerAnnotations {
  const [certificate, bundle] = [annotations[CERTIFICATE], annotations[REKOR_BUNDLE]];
  if (typeof certificate === 'string' && certificate !== '') return { certificate, ...(typeof bundle === 'string' && { bundle }) };
  return typeof bundle === 'string' && isReadable({ bundle }) ? { bundle } : {};
}

function isReadable(annotations: LayerAnnotations): boolean {
  try {
    return readAnnotations(annotations).entries.length > 0;
  } catch (error) {
    if (error instanceof SignatureFault) return false;
    throw error;
  }
}

/** Who signed such a layer, and its log entry. The chain that may be there is not read: issuers are known from the trusted root alone. */
export function readAnnotations({ certificate, bundle }: LayerAnnotations): Pick<SignedDocument, 'signer' | 'entries'> {
  const der = certificate === undefined ? undefined : certificateOf(certificate);
  return { signer: signerOf(der), entries: bundle === undefined ? [] : [rekorEntry(REKOR(parse(Buffer.from(bundle)), '/bundle'))] };
}

function signerOf(der: Buffer | undefined): SignedDocument['signer'] {
  return der ? { kind: 'certificate', der } : { kind: 'key' };
}

function certificateOf(pem: string): Buffer {
  const der = derOfPem(pem);
  if (!der) throw invalid('the certificate is not one PEM block', 'certificate-malformed');
  return der;
}

function rekorEntry({ SignedEntryTimestamp, Payload: { body, integratedTime, logIndex, logID } }: ReturnType<typeof REKOR>): Entry {
  const logged = parse(body);
  return {
    logIndex,
    logId: { keyId: logID },
    kindVersion: { kind: String(memberAt(logged, 'kind')), version: String(memberAt(logged, 'apiVersion')) },
    integratedTime,
    inclusionPromise: { signedEntryTimestamp: SignedEntryTimestamp },
    inclusionProof: undefined,
    canonicalizedBody: body,
  };
}

/** The digest is in the log entry alone; that the signature is over it is checked with the entry. */
function loggedDigest({ canonicalizedBody }: Entry): ClaimedDigest {
  const logged = memberAt(parse(canonicalizedBody), 'spec', 'data', 'hash');
  const hash = HASHES.find(name => name === memberAt(logged, 'algorithm'));
  const value = memberAt(logged, 'value');
  if (!hash || typeof value !== 'string' || !/^(?:[0-9a-f]{2})+$/.test(value) || value.length * 4 !== Number(hash.slice(3))) {
    throw invalid('the log entry gives no SHA-2 digest of what was signed', 'log-entry-mismatch');
  }
  return { hash, value: Buffer.from(value, 'hex') };
}

function parse(bytes: Buffer): unknown {
  try {
    return parseStrictJson(bytes, { maxBytes: 8 * 1024 * 1024, maxDepth: 16 });
  } catch (error) {
    throw error instanceof JsonFault ? invalid(`the log entry is ${error.message}`) : error;
  }
}
