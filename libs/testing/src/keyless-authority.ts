import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { initializeCA, initializeCTLog, initializeTLog, initializeTSA } from '@sigstore/mock';
import { bundleOf, hashedRekord, loggedEnvelope, pemOf, type Signed } from './keyless-bundle';

export interface KeylessIdentity {
  readonly issuer: string;
  /** A URI. */
  readonly identity: string;
  /** Beside the issuer: by the last number of the extension's name (sigstore fulcio, docs/oid-info.md). */
  readonly extensions?: Readonly<Record<string, string>>;
}

/** A certificate authority, a certificate log, a transparency log and a clock of a spec's own. */
export interface KeylessAuthority {
  /** What trusts them, as a sigstore `trusted_root.json`. */
  readonly trustedRoot: object;
  /** The bundle that `cosign sign-blob` writes of an artifact for somebody who has logged in as this identity. */
  bundle(artifact: Buffer, identity: KeylessIdentity, options?: KeylessOptions): Promise<Buffer>;
  /** What `cosign sign-blob --key` writes with an ECDSA key of P-256: the log tells when it signed. */
  loggedBundle(artifact: Buffer, key: KeyPair): Promise<Buffer>;
  /** The bundle that `cosign attest-blob` writes of a payload. */
  envelope(payload: Buffer, identity: KeylessIdentity, options?: EnvelopeOptions): Promise<Buffer>;
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

interface KeylessOptions {
  /** The time is proven by an RFC 3161 timestamp, and not by a promise of the log. */
  readonly timestamped?: boolean;
}

interface EnvelopeOptions {
  readonly payloadType?: string;
  /** Its log entry holds no signature, whatever log would take such a thing. */
  readonly hollow?: boolean;
}

/** What is not as it has to be. */
interface KeylessFaults {
  /** Which certificate log vouches for certificates: one that nobody trusts, or none at all. */
  readonly certificateLog?: 'other' | 'none';
  /** What time it is for those who say it. */
  readonly clocks?: { readonly log?: Date; readonly timestamp?: Date };
  /** When the trust in the authority ends. */
  readonly trustedUntil?: Date;
}

const FULCIO = '1.3.6.1.4.1.57264.1';
const START = new Date(Date.now() - 86_400_000).toISOString();
const LOG_URL = 'https://rekor.test';
const IN_TOTO = 'application/vnd.in-toto+json';
const SHA256_OID = '2.16.840.1.101.3.4.2.1';
const TIMESTAMP_POLICY = '1.3.6.1.4.1.57264.2';

/** A clock that stands still is ahead of the certificates that are issued afterwards, and within their ten minutes. */
const CLOCK_AHEAD_MS = 120_000;

/** Of other times the mock leaves zeros out, and the library then reads none. */
const wholeSecond = (time: Date): Date => new Date(Math.floor(time.getTime() / 1000) * 1000);
const pairOf = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const base64 = (bytes: ArrayBufferView): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** The parts are those of `@sigstore/mock`; nothing listens, and nothing is sent. */
export async function aKeylessAuthority({ certificateLog, clocks = {}, trustedUntil }: KeylessFaults = {}): Promise<KeylessAuthority> {
  const ctLog = await initializeCTLog(pairOf());
  const vouching = certificateLog === 'none' ? undefined : certificateLog === 'other' ? await initializeCTLog(pairOf()) : ctLog;
  const authority = await initializeCA(generateKeyPairSync('ec', { namedCurve: 'P-384' }), vouching);
  const log = await initializeTLog(LOG_URL, pairOf(), clocks.log);
  const clock = await initializeTSA(pairOf(), wholeSecond(clocks.timestamp ?? new Date(Date.now() + CLOCK_AHEAD_MS)));

  async function signed(message: Buffer, { issuer, identity, extensions = {} }: KeylessIdentity): Promise<Signed> {
    const { publicKey, privateKey } = pairOf();
    const certificate = await authority.issueCertificate({
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
      subjectAltName: identity,
      extensions: Object.entries({ 8: issuer, ...extensions }).map(([number, value]) => ({ oid: `${FULCIO}.${number}`, value })),
    });
    const rawBytes = base64(certificate);
    return { pem: pemOf('CERTIFICATE', rawBytes), material: { certificate: { rawBytes } }, signature: sign('sha256', message, privateKey) };
  }

  async function entryOf(proposed: object) {
    const [entry] = Object.values(await log.log(proposed));
    if (!entry) throw new Error('the log made no entry');
    return entry;
  }

  return {
    trustedRoot: {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [logOf(log.publicKey, LOG_URL)],
      certificateAuthorities: [chainOf([authority.rootCertificate], trustedUntil)],
      ctlogs: [logOf(ctLog.publicKey, 'https://ctfe.test')],
      timestampAuthorities: [chainOf([clock.intCertificate, clock.rootCertificate])],
    },
    bundle: async (artifact, identity, { timestamped = false } = {}) => {
      const by = await signed(artifact, identity);
      const entry = await entryOf(hashedRekord(by, sha256(artifact)));
      const request = {
        artifactHash: sha256(by.signature),
        hashAlgorithmOID: SHA256_OID,
        nonce: 1,
        policyOID: TIMESTAMP_POLICY,
      };
      const timestamp = timestamped ? base64(await clock.timestamp(request)) : undefined;
      return bundleOf(by, { entry, kind: 'hashedrekord', timestamp }, messageOf(artifact, by));
    },
    loggedBundle: async (artifact, { publicKey, privateKey }) => {
      const der = publicKey.export({ type: 'spki', format: 'der' });
      const material = { publicKey: { hint: sha256(der).toString('base64') } };
      const by = { pem: pemOf('PUBLIC KEY', der.toString('base64')), material, signature: sign('sha256', artifact, privateKey) };
      const entry = await entryOf(hashedRekord(by, sha256(artifact)));
      return bundleOf(by, { entry, kind: 'hashedrekord' }, messageOf(artifact, by));
    },
    envelope: async (payload, identity, { payloadType = IN_TOTO, hollow = false } = {}) => {
      const by = await signed(preAuthEncoding(payloadType, payload), identity);
      const entry = await entryOf(loggedEnvelope(by, payload, hollow));
      const dsseEnvelope = {
        payload: payload.toString('base64'),
        payloadType,
        signatures: [{ sig: by.signature.toString('base64') }],
      };
      return bundleOf(by, { entry, kind: 'dsse' }, { dsseEnvelope });
    },
  };
}

function messageOf(artifact: Buffer, { signature }: Signed): object {
  const messageDigest = { algorithm: 'SHA2_256', digest: sha256(artifact).toString('base64') };
  return { messageSignature: { messageDigest, signature: signature.toString('base64') } };
}

/** DSSE v1.0, written out so that the product's own has no part in it. */
function preAuthEncoding(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);
}

function logOf(publicKey: Buffer, baseUrl: string): object {
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: publicKey.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: { start: START } },
    logId: { keyId: sha256(publicKey).toString('base64') },
  };
}

function chainOf(certificates: readonly ArrayBufferView[], end?: Date): object {
  const validFor = { start: START, ...(end && { end: end.toISOString() }) };
  return { certChain: { certificates: certificates.map(certificate => ({ rawBytes: base64(certificate) })) }, validFor };
}
