import type { KeyObject } from 'node:crypto';
import { dsse } from '@sigstore/core';
import type { Digest, TrustedKey } from '@packs/domain';
import { IN_TOTO_PAYLOAD_TYPE, readStatementAbout } from './in-toto-statement';
import { loadKey, type LoadedKey } from './public-key';
import { attemptsOf, candidates, unverified } from './signature-attempts';
import { invalid, SignatureFault, untrusted } from './signature-fault';
import { verifyMessage } from './signature-scheme';
import type { SignedContent, SignedMessage } from './signed-content';
import { NEEDS_BYTES, verifiesDigest } from './signed-digest';
import type { SignedDocument } from './signed-document';
import { signatureContent, type ArtifactSubject } from './signed-entity';
import { readSigningCertificate, type CertificateIdentity } from './signing-certificate';
import { requireAbout } from './simple-signature';
import type { JsonLimits } from './strict-json';
import type { TrustedRoot } from './trusted-root';
import { CheckProgress, type Findings, type VerificationReport } from './verification-report';
import { verifyEvidence, type Evidence } from './verify-evidence';

/** Who must have signed: compared letter by letter, never as a pattern. */
export interface RequiredIdentity {
  readonly issuer: string;
  readonly identity: string;
  /** By the name of the extension; each has to be there with this value. */
  readonly extensions?: Readonly<Record<string, string>>;
}

export interface DocumentTrust {
  /** Each is asked by itself: an authority of one never vouches together with a log of another. */
  readonly roots: readonly TrustedRoot[];
  readonly keys: readonly TrustedKey[];
  /**
   * What log entries and timestamps of what a key made are for; none has to be there. `verified`: they have to hold where they are; `reported`: what
   * holds is told, and what does not counts as not there.
   */
  readonly keyEvidence: 'verified' | 'reported' | 'ignored';
}

export interface DocumentRequest {
  readonly document: () => SignedDocument;
  /** The signature has to be about one of these. */
  readonly subjects: readonly ArtifactSubject[];
  readonly trust: DocumentTrust;
  /** Who must have signed; absent: anybody who is trusted, whom the caller then judges. */
  readonly signer?: 'key' | RequiredIdentity;
  readonly limits?: JsonLimits;
}

/**
 * Whether the document is a signature of one of the subjects by somebody who is trusted. Opens no socket, reads no file and no clock, and answers
 * whatever it is given: to be ended from outside by whoever cannot wait.
 * @throws DomainError ERR_PACK_TRUST_INVALID for a key that must not be trusted
 */
export function verifyDocument(request: DocumentRequest): VerificationReport {
  const progress = new CheckProgress();
  const keys = request.trust.keys.map(loadKey);
  try {
    return progress.accepted(verify(request, keys, progress));
  } catch (error) {
    if (error instanceof SignatureFault) return progress.rejected(error.code, error.message);
    return progress.rejected('verification-failed', 'the document could not be evaluated');
  }
}

function verify(request: DocumentRequest, keys: readonly LoadedKey[], progress: CheckProgress): Findings {
  const document = request.document();
  progress.pass('document');
  const { signer, content } = document;
  if (signer.kind === 'key') return verifyByKey(document, request, keys, progress);
  if (request.signer === 'key') throw untrusted('a certificate signed, where a key was asked for', 'key-untrusted');
  const { certificate, who } = readSigningCertificate(signer.der);
  if (request.trust.roots.length === 0)
    throw untrusted('a certificate signed, and no trusted root is there to judge it by', 'trust-missing');
  const signed = signatureContent(content, request.subjects);
  if (!signed.verifySignature(certificate.key)) throw invalid('the signature is not by the key of its certificate', 'signature-invalid');
  progress.pass('signature');
  const evidence = byAnyRoot(request.trust.roots, root => verifyEvidence(document, signed, { kind: 'certificate', certificate }, root));
  progress.pass('timestamp', 'signer', 'log');
  const statement = requireSubject(content, request);
  progress.pass('subject');
  if (request.signer) requireIdentity(who, request.signer);
  if (request.signer) progress.pass('identity');
  else progress.skip('identity');
  const { times, entries, isProven, authority } = evidence;
  if (!authority) throw untrusted('no authority issued the certificate', 'certificate-untrusted');
  return {
    identity: { kind: 'certificate', authority, scheme: schemeOf(certificate.key), ...who },
    times,
    entries,
    isProven,
    ...statement,
  };
}

/** The answer of the first root that accepts; else that of the first one. */
function byAnyRoot(roots: readonly TrustedRoot[], ask: (root: TrustedRoot) => Evidence): Evidence {
  let first: SignatureFault | undefined;
  for (const root of roots) {
    try {
      return ask(root);
    } catch (error) {
      if (!(error instanceof SignatureFault)) throw error;
      first ??= error;
    }
  }
  throw first ?? untrusted('no trusted root is there to judge log entries and timestamps by', 'trust-missing');
}

function verifyByKey(document: SignedDocument, request: DocumentRequest, keys: readonly LoadedKey[], progress: CheckProgress): Findings {
  if (request.signer !== undefined && request.signer !== 'key') throw untrusted('a key signed, where an identity was asked for');
  const { content } = document;
  const key = signingKey(content, request.subjects, candidates(content.keyHint, keys));
  progress.pass('signer', 'signature');
  const evidence = evidenceOfKey(document, request, key);
  // A key is trusted without them: they may not be wrong, and they add nothing.
  progress.skip('timestamp', 'log');
  const statement = requireSubject(content, request);
  progress.pass('subject');
  progress.skip('identity');
  const { name, scheme } = key.key;
  const reported = request.trust.keyEvidence === 'reported' ? evidence : undefined;
  const { times = [], entries = [], isProven = false } = reported ?? {};
  return { identity: { kind: 'key', name, keyId: key.keyId, scheme }, times, entries, isProven, ...statement };
}

/** @throws SignatureFault for evidence that has to hold and does not */
function evidenceOfKey(document: SignedDocument, { subjects, trust }: DocumentRequest, key: LoadedKey): Evidence | undefined {
  if (trust.keyEvidence === 'ignored' || document.entries.length + document.timestamps.length === 0) return undefined;
  const signed = signatureContent(document.content, subjects);
  try {
    return byAnyRoot(trust.roots, root => verifyEvidence(document, signed, { kind: 'key', key }, root));
  } catch (error) {
    if (trust.keyEvidence === 'verified' || !(error instanceof SignatureFault)) throw error;
    return undefined;
  }
}

function signingKey(content: SignedContent, subjects: readonly ArtifactSubject[], keys: readonly LoadedKey[]): LoadedKey {
  if (content.kind === 'message') return keyOfMessage(content, subjects, keys);
  const isEnvelope = content.kind === 'envelope';
  const message = isEnvelope ? dsse.preAuthEncoding(content.payloadType, content.payload) : content.payload;
  const signatures = isEnvelope ? content.signatures : [content.signature];
  const found = attemptsOf(signatures, keys).find(({ key, signature }) => verifyMessage(key, message, signature));
  if (!found) throw unverified(keys);
  return found.key;
}

/** A signature that gives no digest may be about any of the subjects. */
function keyOfMessage({ signature, claimed }: SignedMessage, subjects: readonly ArtifactSubject[], keys: readonly LoadedKey[]): LoadedKey {
  const about = claimed === undefined ? subjects : [subjects.find(({ digest }) => digest === claimed) ?? { digest: claimed }];
  let needsBytes = false;
  for (const { key } of attemptsOf([signature], keys)) {
    for (const subject of about) {
      const verified = verifySubject(key, subject, signature);
      if (verified === true) return key;
      needsBytes ||= verified === NEEDS_BYTES;
    }
  }
  if (needsBytes) throw invalid('an Ed25519 signature of an artifact is checked with its bytes', 'subject-bytes-needed');
  throw unverified(keys);
}

function verifySubject(key: LoadedKey, { digest, bytes }: ArtifactSubject, signature: Buffer): boolean | typeof NEEDS_BYTES {
  if (bytes) return verifyMessage(key, bytes, signature);
  return verifiesDigest(key.object, 'sha256', hashOf(digest), signature, key.key.scheme === 'rsa-pss-sha256');
}

function hashOf(digest: Digest): Buffer {
  return Buffer.from(digest.slice('sha256:'.length), 'hex');
}

/** The library never compares what was signed with what is there. */
function requireSubject(content: SignedContent, { subjects, limits }: DocumentRequest): Pick<Findings, 'predicateType'> {
  const digests = subjects.map(({ digest }) => digest);
  if (content.kind === 'envelope') {
    if (content.payloadType !== IN_TOTO_PAYLOAD_TYPE) {
      throw invalid(`the payload type of the envelope is not ${IN_TOTO_PAYLOAD_TYPE}`, 'statement-invalid');
    }
    return { predicateType: readStatementAbout(content.payload, subjects, limits).predicateType };
  }
  if (content.kind === 'simple') requireAbout(content.payload, digests);
  else if (content.claimed !== undefined && !digests.includes(content.claimed)) {
    throw invalid('the signature is about another artifact', 'subject-mismatch');
  }
  return {};
}

function schemeOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  if (asymmetricKeyType === 'ec') return asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'ecdsa-p384-sha384' : 'ecdsa-p256-sha256';
  return asymmetricKeyType === 'rsa' ? 'rsa-pkcs1-sha256' : 'ed25519';
}

function requireIdentity(who: CertificateIdentity, { issuer, identity, extensions = {} }: RequiredIdentity): void {
  if (who.issuer !== issuer) throw untrusted('the certificate names another issuer', 'issuer-mismatch');
  if (who.identity !== identity) throw untrusted('the certificate names another identity', 'identity-mismatch');
  for (const [name, value] of Object.entries(extensions)) {
    const found = Object.hasOwn(who.extensions, name) ? who.extensions[name] : undefined;
    if (found !== value) throw untrusted(`the extension ${name} of the certificate is another`, 'extension-mismatch');
  }
}
