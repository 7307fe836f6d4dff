import { dsse } from '@sigstore/core';
import { isOf, isOfAny, type ArtifactSubject } from './artifact-subject';
import { IN_TOTO_PAYLOAD_TYPE, readStatementAbout } from './in-toto-statement';
import type { LoadedKey } from './public-key';
import { attemptsOf, unverified } from './signature-attempts';
import { invalid } from './signature-fault';
import { signingHashOf, verifyMessage, verifySubject } from './signature-scheme';
import type { SignedContent, SignedMessage } from './signed-content';
import { NEEDS_BYTES, verifiesDigest } from './signed-digest';
import { requireAbout } from './simple-signature';
import type { JsonLimits } from './strict-json';

/** The keys that made one of the signatures. @throws SignatureFault when there is none */
export function* signingKeys(
  content: SignedContent,
  subjects: readonly ArtifactSubject[],
  keys: readonly LoadedKey[],
): Generator<LoadedKey, void> {
  if (content.kind === 'message') {
    yield keyOfMessage(content, subjects, keys);
    return;
  }
  const isEnvelope = content.kind === 'envelope';
  const message = isEnvelope ? dsse.preAuthEncoding(content.payloadType, content.payload) : content.payload;
  const signatures = isEnvelope ? content.signatures : [content.signature];
  let found = false;
  for (const { key, signature } of attemptsOf(signatures, keys)) {
    if (!verifyMessage(key, message, signature)) continue;
    found = true;
    yield key;
  }
  if (!found) throw unverified(keys);
}

/** A signature that gives no digest may be about any of the subjects. */
function keyOfMessage(content: SignedMessage, subjects: readonly ArtifactSubject[], keys: readonly LoadedKey[]): LoadedKey {
  const { claimed, signature } = content;
  const about = claimed === undefined ? subjects : subjects.filter(subject => isOf(claimed, subject));
  let needsBytes = false;
  for (const { key } of attemptsOf([signature], keys)) {
    const told = about.length > 0 ? about.map(subject => verifySubject(key, subject, signature)) : [verifyClaim(key, content, subjects)];
    if (told.includes(true)) return key;
    needsBytes ||= told.includes(NEEDS_BYTES);
  }
  if (needsBytes) throw invalid('a signature by a key of this kind is checked with the bytes of the artifact', 'subject-bytes-needed');
  throw unverified(keys);
}

/** A signature of none of the subjects, as far as is known of them: whether it is one of what it claims at all. */
function verifyClaim(
  { key: { scheme }, object }: LoadedKey,
  { claimed, signature }: SignedMessage,
  subjects: readonly ArtifactSubject[],
): boolean | typeof NEEDS_BYTES {
  if (!claimed) return false;
  if (claimed.hash === signingHashOf(scheme)) {
    return verifiesDigest(object, claimed.hash, claimed.value, signature, scheme === 'rsa-pss-sha256');
  }
  if (isOfAny(claimed, subjects) === undefined) return NEEDS_BYTES;
  throw invalid('the signature is about another artifact', 'subject-mismatch');
}

/**
 * That what was signed is about one of the subjects. The library never compares what was signed with what is there.
 * @throws SignatureFault
 */
export function requireSubject(
  content: SignedContent,
  { subjects, limits }: { readonly subjects: readonly ArtifactSubject[]; readonly limits?: JsonLimits },
): { readonly predicateType?: string } {
  if (content.kind === 'envelope') {
    if (content.payloadType !== IN_TOTO_PAYLOAD_TYPE) {
      throw invalid(`the payload type of the envelope is not ${IN_TOTO_PAYLOAD_TYPE}`, 'statement-invalid');
    }
    return { predicateType: readStatementAbout(content.payload, subjects, limits).predicateType };
  }
  if (content.kind === 'simple') requireAbout(content.payload, subjects);
  else if (content.claimed !== undefined) requireClaimed(isOfAny(content.claimed, subjects));
  return {};
}

function requireClaimed(told: boolean | undefined): void {
  if (told === undefined) throw invalid('the signature names its artifact by a hash that is made of its bytes', 'subject-bytes-needed');
  if (!told) throw invalid('the signature is about another artifact', 'subject-mismatch');
}
