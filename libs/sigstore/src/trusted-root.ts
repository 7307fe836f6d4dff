import type { X509Certificate } from '@sigstore/core';
import { TrustedRoot as TrustedRootMessage } from '@sigstore/protobuf-specs';
import { toTrustMaterial, type TrustMaterial } from '@sigstore/verify';
import { DomainError, sha256, type Digest, type TrustMaterial as TenantTrust } from '@packs/domain';
import { HeldCertificate } from './held-certificate';
import { array, base64, object, text, type Shape } from './json-shape';
import { invalid, SignatureFault } from './signature-fault';
import { JsonFault, parseStrictJson } from './strict-json';

export const MAX_TRUSTED_ROOT_BYTES = 96 * 1024;

const MEDIA_TYPES: readonly string[] = [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot+json;version=0.2',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
];
const MAX_AUTHORITIES = 32;
const MAX_CHAIN = 8;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
/** id-kp-timeStamping (RFC 3161 §2.3). */
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

const time: Shape<Date> = (value, at) => {
  const date = typeof value === 'string' && TIME.test(value) ? new Date(value) : undefined;
  if (!date || Number.isNaN(date.getTime())) throw invalid(`${at} is not a time as in 2024-05-01T00:00:00Z`);
  return date;
};

const orNull =
  <T>(shape: Shape<T>): Shape<T | undefined> =>
  (value, at) =>
    value === null ? undefined : shape(value, at);

/** Without a start, trust would reach back to the beginning of time. */
const validFor: Shape<{ readonly start: Date; readonly end?: Date }> = (value, at) => {
  const { start, end } = object({ start: time }, { end: orNull(time) })(value, at);
  if (end && end < start) throw invalid(`${at} ends before it starts`);
  return end ? { start, end } : { start };
};

const logId = object({ keyId: base64 }, {});
const LOG = object(
  { baseUrl: text, hashAlgorithm: text, publicKey: object({ rawBytes: base64, keyDetails: text, validFor }, {}), logId },
  { checkpointKeyId: orNull(logId), operator: orNull(text) },
);
const AUTHORITY = object(
  { certChain: object({ certificates: array(object({ rawBytes: base64 }, {}), MAX_CHAIN) }, {}), validFor },
  { subject: orNull(object({}, { organization: orNull(text), commonName: orNull(text) })), uri: orNull(text), operator: orNull(text) },
);
const ROOT = object(
  { mediaType: text },
  {
    tlogs: array(LOG, MAX_AUTHORITIES),
    certificateAuthorities: array(AUTHORITY, MAX_AUTHORITIES),
    ctlogs: array(LOG, MAX_AUTHORITIES),
    timestampAuthorities: array(AUTHORITY, MAX_AUTHORITIES),
  },
);

/** Certificate authorities, logs and clocks that are trusted, each within its time. Parsed once, and kept. */
export interface TrustedRoot {
  readonly material: TrustMaterial;
}

const held = new WeakMap<TenantTrust, readonly TrustedRoot[]>();

/** The roots of a tenant's trust material, parsed once for as long as the material is held. */
export function trustedRootsOf(material: TenantTrust): readonly TrustedRoot[] {
  const known = held.get(material);
  if (known) return known;
  const roots = (material.trustedRoots ?? []).map(text => parseTrustedRoot(Buffer.from(text)));
  held.set(material, roots);
  return roots;
}

/** SHA-256 of the SubjectPublicKeyInfo of each certificate authority: what signatures with certificates name as the key that vouches for them. */
export function authorityIdsOf(material: TenantTrust): Digest[] {
  const authorities = trustedRootsOf(material).flatMap(root => root.material.certificateAuthorities);
  return [...new Set(authorities.flatMap(({ certChain }) => certChain.map(({ publicKey }) => sha256(publicKey))))].toSorted();
}

/**
 * Reads a sigstore `trusted_root.json`. Unlike in the library, everything has a start of validity and nothing is left over.
 * @throws DomainError ERR_PACK_TRUST_INVALID that points to the first fault
 */
export function parseTrustedRoot(content: Uint8Array): TrustedRoot {
  try {
    const json = parseStrictJson(content, { maxBytes: MAX_TRUSTED_ROOT_BYTES, maxDepth: 8 });
    const root = ROOT(json, '');
    if (!MEDIA_TYPES.includes(root.mediaType)) throw invalid('/mediaType is not that of a sigstore trusted root');
    return { material: materialOf(json) };
  } catch (error) {
    if (error instanceof JsonFault) throw fault(`the trusted root is ${error.message}`);
    if (error instanceof SignatureFault) throw fault(error.message);
    throw error;
  }
}

function materialOf(json: unknown): TrustMaterial {
  let read: TrustMaterial;
  try {
    read = toTrustMaterial(TrustedRootMessage.fromJSON(json));
  } catch (cause) {
    throw fault('a key or certificate of the trusted root is not readable', cause);
  }
  const withHeld = (list: TrustMaterial['certificateAuthorities'], at: string) =>
    list.map((authority, index) => ({ ...authority, certChain: chainOf(authority.certChain, `/${at}/${index}/certChain`) }));
  const timestampAuthorities = withHeld(read.timestampAuthorities, 'timestampAuthorities');
  for (const [index, { certChain }] of timestampAuthorities.entries()) requireClock(certChain, index);
  return { ...read, certificateAuthorities: withHeld(read.certificateAuthorities, 'certificateAuthorities'), timestampAuthorities };
}

function chainOf(certificates: readonly X509Certificate[], at: string): HeldCertificate[] {
  if (certificates.length === 0) throw fault(`${at} has no certificate`);
  return certificates.map(certificate => hold(certificate.root.toDER(), at));
}

function hold(der: Buffer, at: string): HeldCertificate {
  try {
    return HeldCertificate.of(der);
  } catch (cause) {
    throw fault(`${at} holds what is no certificate in DER`, cause);
  }
}

function requireClock([signer]: readonly HeldCertificate[], index: number): void {
  if (!signer?.native.keyUsage?.includes(TIME_STAMPING)) {
    throw fault(`/timestampAuthorities/${index}/certChain does not begin with a certificate for time stamping`);
  }
}

function fault(message: string, cause?: unknown): DomainError {
  const pointer = /^\/\S+/.exec(message)?.[0] ?? '';
  return new DomainError('ERR_PACK_TRUST_INVALID', message, { errors: [{ pointer, message }], cause });
}
