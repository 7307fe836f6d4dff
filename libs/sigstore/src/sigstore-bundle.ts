import { BUNDLE_V01_MEDIA_TYPE, BUNDLE_V02_MEDIA_TYPE, BUNDLE_V03_LEGACY_MEDIA_TYPE, BUNDLE_V03_MEDIA_TYPE } from '@sigstore/bundle';
import type { Digest } from '@packs/domain';
import { dsseEnvelope } from './dsse-envelope';
import { anything, array, base64, int64, object, text } from './json-shape';
import { invalid, untrusted } from './signature-fault';
import type { SignedContent } from './signed-content';

const MEDIA_TYPES = [BUNDLE_V01_MEDIA_TYPE, BUNDLE_V02_MEDIA_TYPE, BUNDLE_V03_LEGACY_MEDIA_TYPE, BUNDLE_V03_MEDIA_TYPE];

const INCLUSION_PROOF = object(
  { rootHash: base64, treeSize: int64, checkpoint: object({ envelope: text }, {}) },
  { logIndex: int64, hashes: array(base64, 64) },
);

/** Evidence of logs and clocks is held to its form; a policy that asks for keys alone counts none of it. Members that are zero may be left out. */
const LOG_ENTRY = object(
  {
    logId: object({ keyId: base64 }, {}),
    kindVersion: object({ kind: text, version: text }, {}),
    canonicalizedBody: base64,
  },
  {
    logIndex: int64,
    integratedTime: int64,
    inclusionPromise: object({ signedEntryTimestamp: base64 }, {}),
    inclusionProof: INCLUSION_PROOF,
  },
);

const BUNDLE = object(
  {
    mediaType: text,
    verificationMaterial: object(
      {},
      {
        publicKey: object({}, { hint: text }),
        certificate: anything,
        x509CertificateChain: anything,
        tlogEntries: array(LOG_ENTRY, 32),
        timestampVerificationData: object({}, { rfc3161Timestamps: array(object({ signedTimestamp: base64 }, {}), 32) }),
      },
    ),
  },
  {
    messageSignature: object({ signature: base64 }, { messageDigest: object({}, { algorithm: text, digest: base64 }) }),
    dsseEnvelope,
  },
);

type Bundle = ReturnType<typeof BUNDLE>;

/** Reads a sigstore bundle v0.1 to v0.3 that was made with a key, as `cosign sign-blob --key` and `attest-blob --key` write it. */
export function readSigstoreBundle(json: unknown): SignedContent {
  const bundle = BUNDLE(json, '');
  if (!MEDIA_TYPES.includes(bundle.mediaType)) throw invalid('the media type of the bundle is not a sigstore bundle v0.1, v0.2 or v0.3');
  const keyHint = keyHintOf(bundle);
  const { messageSignature, dsseEnvelope: envelope } = bundle;
  if (Boolean(messageSignature) === Boolean(envelope)) throw invalid('a bundle has either a message signature or a DSSE envelope');
  if (envelope) {
    if (envelope.signatures.length !== 1) throw invalid('the envelope of a bundle has one signature');
    return { ...envelope, keyHint };
  }
  return messageOf(messageSignature, keyHint);
}

function messageOf(message: Bundle['messageSignature'], keyHint: string): SignedContent {
  if (!message) throw invalid('the bundle has no signature');
  return { kind: 'message', signature: message.signature, claimed: claimedDigest(message.messageDigest), keyHint };
}

function keyHintOf({ mediaType, verificationMaterial: material }: Bundle): string {
  const kinds = ['publicKey', 'certificate', 'x509CertificateChain'].filter(kind => kind in material);
  if (kinds.length !== 1) throw invalid('a bundle names either a key or a certificate');
  // v0.1 bundles carry the log's promise, later ones its proof (sigstore bundle specification).
  const evidence = mediaType === BUNDLE_V01_MEDIA_TYPE ? 'inclusionPromise' : 'inclusionProof';
  if (material.tlogEntries?.some(entry => !(evidence in entry))) throw invalid(`a log entry of the bundle has no ${evidence}`);
  if (!material.publicKey) throw untrusted('keyless not accepted by this policy');
  return material.publicKey.hint ?? '';
}

/** cosign leaves `messageDigest` empty for Ed25519, which signs the message and not a hash of it. */
function claimedDigest(claim: { readonly algorithm?: string; readonly digest?: Buffer } | undefined): Digest | undefined {
  if (!claim || (claim.algorithm === undefined && claim.digest === undefined)) return undefined;
  if (claim.algorithm !== 'SHA2_256') throw invalid('the message digest of the bundle is not SHA2_256');
  return `sha256:${claim.digest?.toString('hex') ?? ''}`;
}
