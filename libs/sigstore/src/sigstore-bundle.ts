import { BUNDLE_V01_MEDIA_TYPE, BUNDLE_V02_MEDIA_TYPE, BUNDLE_V03_LEGACY_MEDIA_TYPE, BUNDLE_V03_MEDIA_TYPE } from '@sigstore/bundle';
import type { ClaimedDigest, HashName } from './artifact-subject';
import { dsseEnvelope } from './dsse-envelope';
import { memberAt } from './json-member';
import { array, base64, object, text } from './json-shape';
import { readLegacyBundle } from './legacy-bundle';
import { LOG_ENTRY, logEntryOf } from './log-entry-form';
import { invalid, untrusted } from './signature-fault';
import type { SignedContent } from './signed-content';
import type { SignedDocument } from './signed-document';

const MEDIA_TYPES = [BUNDLE_V01_MEDIA_TYPE, BUNDLE_V02_MEDIA_TYPE, BUNDLE_V03_LEGACY_MEDIA_TYPE, BUNDLE_V03_MEDIA_TYPE];

const CERTIFICATE = object({ rawBytes: base64 }, {});
const MAX_ENTRIES = 8;
const MAX_TIMESTAMPS = 8;
const MAX_CHAIN = 8;

const BUNDLE = object(
  {
    mediaType: text,
    verificationMaterial: object(
      {},
      {
        publicKey: object({}, { hint: text }),
        certificate: CERTIFICATE,
        x509CertificateChain: object({ certificates: array(CERTIFICATE, MAX_CHAIN) }, {}),
        tlogEntries: array(LOG_ENTRY, MAX_ENTRIES),
        timestampVerificationData: object({}, { rfc3161Timestamps: array(object({ signedTimestamp: base64 }, {}), MAX_TIMESTAMPS) }),
      },
    ),
  },
  {
    messageSignature: object({ signature: base64 }, { messageDigest: object({}, { algorithm: text, digest: base64 }) }),
    dsseEnvelope,
  },
);

type Bundle = ReturnType<typeof BUNDLE>;

/** Reads a sigstore bundle v0.1 to v0.3, or what cosign wrote under the same name before there were any. @throws SignatureFault */
export function readBundle(json: unknown): SignedDocument {
  if (memberAt(json, 'base64Signature') !== undefined) return readLegacyBundle(json);
  const bundle = BUNDLE(json, '');
  if (!MEDIA_TYPES.includes(bundle.mediaType)) {
    throw invalid('the media type of the bundle is not a sigstore bundle v0.1, v0.2 or v0.3', 'document-unsupported');
  }
  const { publicKey, certificate, x509CertificateChain, tlogEntries = [], timestampVerificationData } = bundle.verificationMaterial;
  if ([publicKey, certificate, x509CertificateChain].filter(Boolean).length !== 1) {
    throw invalid('a bundle names either a key or a certificate');
  }
  const der = certificateOf(bundle);
  requireEvidence(bundle.mediaType, tlogEntries);
  return {
    content: contentOf(bundle, publicKey?.hint ?? ''),
    signer: der ? { kind: 'certificate', der } : { kind: 'key' },
    entries: tlogEntries.map(logEntryOf),
    timestamps: (timestampVerificationData?.rfc3161Timestamps ?? []).map(({ signedTimestamp }) => signedTimestamp),
  };
}

/** Reads a bundle that was made with a key, as `cosign sign-blob --key` and `attest-blob --key` write it. */
export function readSigstoreBundle(json: unknown): SignedContent {
  if (isKeyless(json)) throw keyless();
  const { content, signer } = readBundle(json);
  if (signer.kind !== 'key') throw keyless();
  return content;
}

function keyless() {
  return untrusted('keyless not accepted by this policy', 'trust-missing');
}

/** Whatever else it holds: there is nothing to trust it by. */
function isKeyless(json: unknown): boolean {
  const material = typeof json === 'object' && json !== null && 'verificationMaterial' in json ? json.verificationMaterial : undefined;
  if (typeof material !== 'object' || material === null || 'publicKey' in material) return false;
  return 'certificate' in material || 'x509CertificateChain' in material;
}

/** Chains belong to v0.1 and v0.2, one certificate to v0.3; who issued it is known from the trusted root alone. */
function certificateOf({ mediaType, verificationMaterial: { certificate, x509CertificateChain } }: Bundle): Buffer | undefined {
  const isNew = mediaType === BUNDLE_V03_MEDIA_TYPE || mediaType === BUNDLE_V03_LEGACY_MEDIA_TYPE;
  if (certificate && !isNew) throw invalid('a bundle before v0.3 has a certificate chain');
  if (x509CertificateChain && isNew) throw invalid('a bundle of v0.3 has one certificate and no chain');
  if (!x509CertificateChain) return certificate?.rawBytes;
  const [leaf, ...authorities] = x509CertificateChain.certificates;
  if (!leaf) throw invalid('the certificate chain of the bundle is empty', 'certificate-malformed');
  if (authorities.length > 0) throw invalid('the bundle brings certificates of authorities', 'certificate-is-ca');
  return leaf.rawBytes;
}

/** v0.1 bundles carry the log's promise, later ones its proof (sigstore bundle specification). */
function requireEvidence(mediaType: string, entries: readonly ReturnType<typeof LOG_ENTRY>[]): void {
  const evidence = mediaType === BUNDLE_V01_MEDIA_TYPE ? 'inclusionPromise' : 'inclusionProof';
  if (entries.some(entry => !(evidence in entry))) throw invalid(`a log entry of the bundle has no ${evidence}`, 'log-proof-missing');
}

function contentOf({ messageSignature, dsseEnvelope: envelope }: Bundle, keyHint: string): SignedContent {
  if (Boolean(messageSignature) === Boolean(envelope)) throw invalid('a bundle has either a message signature or a DSSE envelope');
  if (envelope) {
    if (envelope.signatures.length !== 1) throw invalid('the envelope of a bundle has one signature');
    return { ...envelope, keyHint };
  }
  if (!messageSignature) throw invalid('the bundle has no signature');
  return { kind: 'message', signature: messageSignature.signature, claimed: claimedDigest(messageSignature.messageDigest), keyHint };
}

const HASH_OF: Readonly<Record<string, HashName>> = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' };

/** cosign leaves `messageDigest` empty for Ed25519, which signs the message and not a hash of it. */
function claimedDigest(claim: { readonly algorithm?: string; readonly digest?: Buffer } | undefined): ClaimedDigest | undefined {
  if (!claim || (claim.algorithm === undefined && claim.digest === undefined)) return undefined;
  const { algorithm = '', digest = Buffer.alloc(0) } = claim;
  const hash = Object.hasOwn(HASH_OF, algorithm) ? HASH_OF[algorithm] : undefined;
  if (!hash) throw invalid('the message digest of the bundle is not SHA2_256, SHA2_384 or SHA2_512');
  if (digest.length * 8 !== Number(hash.slice(3))) throw invalid(`the message digest of the bundle has not the length of ${algorithm}`);
  return { hash, value: digest };
}
