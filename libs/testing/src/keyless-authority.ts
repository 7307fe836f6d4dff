import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { initializeCA, initializeCTLog, initializeTLog } from '@sigstore/mock';
import { MEDIA_TYPES } from '@packs/domain';

export interface KeylessIdentity {
  readonly issuer: string;
  /** A URI. */
  readonly identity: string;
  /** Beside the issuer: by the last number of the extension's name (sigstore fulcio, docs/oid-info.md). */
  readonly extensions?: Readonly<Record<string, string>>;
}

/** A P-256 key of somebody who signs without a certificate. */
export interface SigningPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A certificate authority, a certificate log and a transparency log of a spec's own. */
export interface KeylessAuthority {
  /** What trusts them, as a sigstore `trusted_root.json`. */
  readonly trustedRoot: object;
  /** The bundle that `cosign sign-blob` writes of an artifact for somebody who has logged in as this identity. */
  bundle(artifact: Buffer, identity: KeylessIdentity): Promise<Buffer>;
  /** The bundle that `cosign sign-blob --key` writes of an artifact and puts into the log. */
  loggedBundle(artifact: Buffer, pair: SigningPair): Promise<Buffer>;
}

const FULCIO = '1.3.6.1.4.1.57264.1';
const START = new Date(Date.now() - 3_600_000).toISOString();
const LOG_URL = 'https://rekor.test';

const pairOf = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const base64 = (bytes: ArrayBufferView): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** The parts are those of `@sigstore/mock`; nothing listens, and nothing is sent. */
export async function aKeylessAuthority(): Promise<KeylessAuthority> {
  const ctLog = await initializeCTLog(pairOf());
  const authority = await initializeCA(generateKeyPairSync('ec', { namedCurve: 'P-384' }), ctLog);
  const log = await initializeTLog(LOG_URL, pairOf());
  const validFor = { start: START };
  const logOf = (publicKey: Buffer, baseUrl: string) => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: publicKey.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
    logId: { keyId: sha256(publicKey).toString('base64') },
  });
  return {
    trustedRoot: {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [logOf(log.publicKey, LOG_URL)],
      certificateAuthorities: [{ certChain: { certificates: [{ rawBytes: base64(authority.rootCertificate) }] }, validFor }],
      ctlogs: [logOf(ctLog.publicKey, 'https://ctfe.test')],
      timestampAuthorities: [],
    },
    bundle: async (artifact, { issuer, identity, extensions = {} }) => {
      const { publicKey, privateKey } = pairOf();
      const certificate = await authority.issueCertificate({
        publicKey: publicKey.export({ type: 'spki', format: 'der' }),
        subjectAltName: identity,
        extensions: Object.entries({ 8: issuer, ...extensions }).map(([number, value]) => ({ oid: `${FULCIO}.${number}`, value })),
      });
      const signed = { digest: sha256(artifact), signature: sign('sha256', artifact, privateKey).toString('base64') };
      const [entry] = Object.values(await log.log(hashedRekord(pemOf(base64(certificate)), signed)));
      if (!entry) throw new Error('the log made no entry');
      return Buffer.from(JSON.stringify(bundleOf({ certificate: { rawBytes: base64(certificate) } }, signed, entry)));
    },
    loggedBundle: async (artifact, { publicKey, privateKey }) => {
      const signed = { digest: sha256(artifact), signature: sign('sha256', artifact, privateKey).toString('base64') };
      const [entry] = Object.values(await log.log(hashedRekord(publicKey.export({ type: 'spki', format: 'pem' }).toString(), signed)));
      if (!entry) throw new Error('the log made no entry');
      const hint = sha256(publicKey.export({ type: 'spki', format: 'der' })).toString('base64');
      return Buffer.from(JSON.stringify(bundleOf({ publicKey: { hint } }, signed, entry)));
    },
  };
}

const pemOf = (certificate: string): string =>
  `-----BEGIN CERTIFICATE-----\n${certificate.replace(/.{64}(?!$)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

interface Signed {
  readonly digest: Buffer;
  readonly signature: string;
}

function hashedRekord(pem: string, { digest, signature }: Signed): object {
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: digest.toString('hex') } },
      signature: { content: signature, publicKey: { content: Buffer.from(pem).toString('base64') } },
    },
  };
}

type LogEntry = Awaited<ReturnType<Awaited<ReturnType<typeof initializeTLog>>['log']>>[string];

function bundleOf(
  signer: object,
  { digest, signature }: Signed,
  { body, integratedTime, logID, logIndex, verification }: LogEntry,
): object {
  const { inclusionProof, signedEntryTimestamp } = verification ?? {};
  return {
    mediaType: MEDIA_TYPES.sigstoreBundle,
    verificationMaterial: {
      ...signer,
      tlogEntries: [
        {
          logIndex: String(logIndex),
          logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
          kindVersion: { kind: 'hashedrekord', version: '0.0.1' },
          integratedTime: String(integratedTime),
          inclusionPromise: { signedEntryTimestamp },
          inclusionProof: {
            logIndex: String(inclusionProof?.logIndex),
            rootHash: Buffer.from(inclusionProof?.rootHash ?? '', 'hex').toString('base64'),
            treeSize: String(inclusionProof?.treeSize),
            hashes: inclusionProof?.hashes ?? [],
            checkpoint: { envelope: inclusionProof?.checkpoint },
          },
          canonicalizedBody: body,
        },
      ],
    },
    messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: digest.toString('base64') }, signature },
  };
}
