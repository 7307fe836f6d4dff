import { type CertificateSigner, type Digest, type Revocations, type RevokedDigest, type TrustedKey } from '@packs/domain';
import type { LoadedKey } from './public-key';
import { SignatureFault } from './signature-fault';

/** The moment that is asked about, and what is not to be trusted any more. */
export interface Standing {
  /** When the question is asked: what nothing proves the time of is judged as made then. */
  readonly evaluatedAt: Date;
  readonly revoked?: Revocations;
}

/** When a signature was made, as far as a trusted log or clock proves it; empty: nothing does. */
type ProvenTimes = readonly Date[];

/**
 * That what this key signed counts: it is not revoked, and every proven time of the signature lies in its window; without one, the moment that is
 * asked about does.
 * @throws SignatureFault key-revoked, key-not-yet-valid, key-expired
 */
export function requireKeyStands({ key, keyId }: LoadedKey, { evaluatedAt, revoked }: Standing, proven: ProvenTimes): void {
  requireNotRevoked([keyId], revoked, proven);
  requireInWindow(key, proven.length > 0 ? proven : [evaluatedAt]);
}

/** Whether the answer depends on when the signature was made. */
export function dependsOnTime({ key, keyId }: LoadedKey, { revoked }: Standing): boolean {
  const entry = revoked?.keys?.find(other => other.keyId === keyId);
  return key.notBefore !== undefined || key.notAfter !== undefined || entry?.since !== undefined;
}

interface CertificateStanding {
  readonly who: CertificateSigner;
  /** The key of the certificate, and that of the authority that issued it. */
  readonly keyIds: readonly Digest[];
  readonly times: ProvenTimes;
}

/** @throws SignatureFault key-revoked, identity-revoked */
export function requireCertificateStands({ who, keyIds, times }: CertificateStanding, { revoked }: Standing): void {
  requireNotRevoked(keyIds, revoked, times);
  const entry = revoked?.identities?.find(({ issuer, identity }) => issuer === who.issuer && identity === who.identity);
  if (entry && !isBefore(times, entry.since)) throw refusal('identity-revoked', `the identity was revoked: ${entry.reason}`);
}

function requireNotRevoked(keyIds: readonly Digest[], revoked: Revocations | undefined, proven: ProvenTimes): void {
  const entry = revoked?.keys?.find(({ keyId, since }) => keyIds.includes(keyId) && !isBefore(proven, since));
  if (entry) throw refusal('key-revoked', `the key ${entry.keyId} was revoked: ${entry.reason}`);
}

/** Whoever holds a key can leave out what proves the time: without proof nothing was signed before. */
function isBefore(proven: ProvenTimes, since: string | undefined): boolean {
  if (since === undefined || proven.length === 0) return false;
  const end = new Date(since);
  return proven.every(at => at < end);
}

function requireInWindow({ name, notBefore, notAfter }: TrustedKey, times: ProvenTimes): void {
  if (notBefore !== undefined && times.some(at => at < new Date(notBefore)))
    throw refusal('key-not-yet-valid', `the key ${name} counts from ${notBefore} on`);
  if (notAfter !== undefined && times.some(at => at > new Date(notAfter)))
    throw refusal('key-expired', `the key ${name} counted until ${notAfter}`);
}

export function revokedContent({ digest, reason }: RevokedDigest): SignatureFault {
  return refusal('digest-revoked', `${digest} was revoked: ${reason}`);
}

/** How a verdict names each. */
export const REFUSED_STANDING = {
  'key-expired': 'ERR_PACK_KEY_EXPIRED',
  'key-not-yet-valid': 'ERR_PACK_KEY_NOT_YET_VALID',
  'key-revoked': 'ERR_PACK_KEY_REVOKED',
  'identity-revoked': 'ERR_PACK_IDENTITY_REVOKED',
  'digest-revoked': 'ERR_PACK_DIGEST_REVOKED',
} as const;

function refusal(reason: keyof typeof REFUSED_STANDING, message: string): SignatureFault {
  return new SignatureFault(REFUSED_STANDING[reason], reason, message);
}
