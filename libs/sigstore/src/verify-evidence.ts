import type { TransparencyLogEntry } from '@sigstore/bundle';
import type { RFC3161Timestamp, X509Certificate } from '@sigstore/core';
import { VerificationError, Verifier, type SignedEntity, type TrustMaterial } from '@sigstore/verify';
import { sha256, type Digest } from '@packs/domain';
import { ownCheckpoint, type LogAuthority } from './checkpoint';
import type { HeldCertificate } from './held-certificate';
import { requireLoggedSigner } from './log-entry-binding';
import type { LoadedKey } from './public-key';
import type { VerificationReason } from './reasons';
import { invalid, SignatureFault, unreadable, untrusted } from './signature-fault';
import type { SignedDocument } from './signed-document';
import { readTimestamp } from './timestamp-form';
import type { TrustedRoot } from './trusted-root';
import type { LogInclusion, SigningTime } from './verification-report';

export interface Evidence {
  /** SHA-256 of the SubjectPublicKeyInfo of the authority that issued the certificate, if one signed. */
  readonly authority?: Digest;
  readonly times: readonly SigningTime[];
  readonly entries: readonly LogInclusion[];
  /** Whether the hashes of an entry lead to a checkpoint of its log. */
  readonly isProven: boolean;
}

/** A certificate has to be proven, with its time and its place in a log; of a key whatever is there must hold. */
export type EvidenceSigner =
  { readonly kind: 'certificate'; readonly certificate: HeldCertificate } | { readonly kind: 'key'; readonly key: LoadedKey };

type Content = SignedEntity['signature'];

/** What the library takes for the end where a trusted root gives none: the last moment that can be told. */
const END_OF_TIME = 8.64e15;

/**
 * Verifies timestamps, certificate, log entries and signature, in this order, by one trusted root.
 * @throws SignatureFault with the reason of the first that does not hold
 */
export function verifyEvidence(document: SignedDocument, content: Content, signer: EvidenceSigner, { material }: TrustedRoot): Evidence {
  const clocks = document.timestamps.map(der => requireClock(readTimestamp(der), content.signature, material));
  const promised = document.entries.filter(({ inclusionPromise }) => inclusionPromise);
  const logged = promised.map(({ integratedTime }) => new Date(Number(integratedTime) * 1000));
  const times = [...logged, ...clocks.map(({ signingTime }) => signingTime)];
  requireAny(document, times, signer);
  const entries = document.entries.map(entry => boundEntry(entry, times, signer, material));
  const entity: SignedEntity = {
    signature: content,
    key: signer.kind === 'key' ? { $case: 'public-key', hint: '' } : { $case: 'certificate', certificate: signer.certificate },
    tlogEntries: entries,
    timestamps: [
      ...entries.filter(isPromised).map(tlogEntry => ({ $case: 'transparency-log' as const, tlogEntry })),
      ...clocks.map(timestamp => ({ $case: 'timestamp-authority' as const, timestamp })),
    ],
  };
  verify(entity, signer, times, material);
  return {
    ...(signer.kind === 'certificate' && { authority: authorityOf(signer.certificate, times, material) }),
    // A log's promise tells the time wherever there is one, so that a timestamp beside it adds nothing and may be left out.
    times: logged.length > 0 ? timesOf('log', logged) : timesOf('timestamp-authority', times),
    entries: document.entries.map(({ logId, canonicalizedBody }) => ({
      log: Buffer.from(logId.keyId).toString('base64'),
      entry: sha256(canonicalizedBody),
    })),
    isProven: document.entries.some(({ inclusionProof }) => inclusionProof !== undefined),
  };
}

/** The library has found the way from the certificate to a root; this is its first step. */
function authorityOf(certificate: HeldCertificate, times: readonly Date[], { certificateAuthorities }: TrustMaterial): Digest {
  const trusted = certificateAuthorities.filter(({ validFor }) => times.every(time => isWithin(validFor, time)));
  const issuer = trusted.flatMap(({ certChain }) => certChain).find(authority => isIssuer(authority, certificate));
  if (!issuer) throw untrusted('no authority issued the certificate', 'certificate-untrusted');
  return sha256(issuer.publicKey);
}

function isIssuer(authority: X509Certificate, certificate: HeldCertificate): boolean {
  return authority.subject.equals(certificate.issuer) && certificate.verify(authority);
}

function isPromised({ inclusionPromise }: TransparencyLogEntry): boolean {
  return inclusionPromise !== undefined;
}

function timesOf(source: SigningTime['source'], times: readonly Date[]): SigningTime[] {
  return times.map(time => ({ source, at: time.toISOString() })).toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

function requireAny({ entries }: SignedDocument, times: readonly Date[], signer: EvidenceSigner): void {
  if (times.some(time => Number.isNaN(time.getTime()))) throw invalid('a time is not one', 'timestamp-malformed');
  if (signer.kind === 'key') return;
  if (times.length === 0) throw invalid('nothing says when the signature was made', 'timestamp-missing');
  if (entries.length === 0) throw invalid('the signature is in no transparency log', 'log-entry-missing');
}

function requireClock(timestamp: RFC3161Timestamp, signature: Buffer, { timestampAuthorities }: TrustMaterial): RFC3161Timestamp {
  try {
    timestamp.tstInfo.verify(signature);
  } catch {
    throw invalid('a timestamp is about another signature', 'timestamp-mismatch');
  }
  const { signerIssuer, signerSerialNumber, signingTime } = timestamp;
  const isKnown = timestampAuthorities.some(
    ({ certChain: [clock], validFor }) =>
      clock?.issuer.equals(signerIssuer) && clock.serialNumber.equals(signerSerialNumber) && isWithin(validFor, signingTime),
  );
  if (!isKnown) throw untrusted('a timestamp is by no authority that was trusted at its time', 'timestamp-untrusted');
  return timestamp;
}

/** The entry with nothing left in it that the log did not sign. */
function boundEntry(
  entry: TransparencyLogEntry,
  times: readonly Date[],
  signer: EvidenceSigner,
  { tlogs }: TrustMaterial,
): TransparencyLogEntry {
  const log = tlogs.find(({ logID, validFor }) => logID.equals(entry.logId.keyId) && isTrustedAt(validFor, times));
  if (!log) throw untrusted('a log entry is of no log that was trusted at the time of signing', 'log-untrusted');
  requireLoggedSigner(entry, signer.kind === 'key' ? { key: signer.key.object } : { certificate: signer.certificate.native.raw });
  return entry.inclusionProof ? { ...entry, inclusionProof: ownProof(entry.inclusionProof, log) } : entry;
}

function ownProof(proof: NonNullable<TransparencyLogEntry['inclusionProof']>, log: LogAuthority): typeof proof {
  return { ...proof, checkpoint: { envelope: ownCheckpoint(proof.checkpoint?.envelope ?? '', proof, log) } };
}

/** Where nothing says when it was, the trust in a log must have no end: what is kept of one that is retired speaks of its own days alone. */
function isTrustedAt(validFor: LogAuthority['validFor'], times: readonly Date[]): boolean {
  return times.length > 0 ? times.every(time => isWithin(validFor, time)) : validFor.end.getTime() === END_OF_TIME;
}

function isWithin({ start, end }: LogAuthority['validFor'], time: Date): boolean {
  return start <= time && time <= end;
}

function verify(entity: SignedEntity, signer: EvidenceSigner, times: readonly Date[], material: TrustMaterial): void {
  try {
    if (signer.kind === 'certificate') new Verifier(material).verify(entity);
    else new Verifier({ ...material, publicKey: finderOf(signer.key) }, NOTHING_REQUIRED).verify(entity);
  } catch (error) {
    if (error instanceof SignatureFault) throw error;
    throw faultOf(error, signer, times);
  }
}

const NOTHING_REQUIRED = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };

function finderOf({ object }: LoadedKey): TrustMaterial['publicKey'] {
  return () => ({ publicKey: object, validFor: () => true });
}

const REASON_OF: Readonly<Record<VerificationError['code'], VerificationReason>> = {
  NOT_IMPLEMENTED_ERROR: 'document-unsupported',
  TLOG_INCLUSION_PROOF_ERROR: 'log-proof-invalid',
  TLOG_INCLUSION_PROMISE_ERROR: 'log-promise-invalid',
  TLOG_MISSING_INCLUSION_ERROR: 'log-proof-missing',
  TLOG_BODY_ERROR: 'log-entry-mismatch',
  TLOG_ERROR: 'log-entry-missing',
  CERTIFICATE_ERROR: 'certificate-untrusted',
  PUBLIC_KEY_ERROR: 'key-untrusted',
  SIGNATURE_ERROR: 'signature-invalid',
  TIMESTAMP_ERROR: 'timestamp-invalid',
};

function faultOf(error: unknown, signer: EvidenceSigner, times: readonly Date[]): SignatureFault {
  if (!(error instanceof VerificationError)) return unreadable(error);
  const { code, message } = error;
  const reason =
    code === 'CERTIFICATE_ERROR' && signer.kind === 'certificate' ? certificateReason(signer.certificate, times, error) : undefined;
  return invalid(message, reason ?? REASON_OF[code]);
}

function certificateReason(certificate: HeldCertificate, times: readonly Date[], error: unknown): VerificationReason {
  if (!times.every(time => certificate.validForDate(time))) return 'certificate-expired';
  if (!(error instanceof Error) || !error.message.includes('SCT')) return 'certificate-untrusted';
  return error.message.startsWith('expected') ? 'sct-missing' : 'sct-invalid';
}
