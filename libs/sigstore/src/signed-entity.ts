import { createHash, type KeyObject } from 'node:crypto';
import { dsse } from '@sigstore/core';
import type { SignedEntity } from '@sigstore/verify';
import { digestOf, HASHES, isEqual, isOf, type ArtifactSubject, type HashName } from './artifact-subject';
import { invalid } from './signature-fault';
import type { SignedContent, SignedMessage } from './signed-content';
import { hashOf, NEEDS_BYTES, verifiesBytes, verifiesDigest } from './signed-digest';

type Content = SignedEntity['signature'];

/** What was signed, as `@sigstore/verify` asks about it. */
export function signatureContent(content: SignedContent, subjects: readonly ArtifactSubject[]): Content {
  if (content.kind === 'envelope') {
    const [signature = Buffer.alloc(0)] = content.signatures;
    return ofMessage(signature, dsse.preAuthEncoding(content.payloadType, content.payload), content.payload);
  }
  if (content.kind === 'simple') return ofMessage(content.signature, content.payload, content.payload);
  return ofArtifact(content, subjects);
}

function ofArtifact({ claimed, signature }: SignedMessage, subjects: readonly ArtifactSubject[]): Content {
  if (claimed === undefined) throw invalid('the bundle gives no digest of what was signed');
  const subject = subjects.find(candidate => isOf(claimed, candidate));
  /** In a log entry as well: the artifact's digest, by whichever hash it was made. */
  const isDigest = (other: Buffer): boolean => {
    const hash = HASHES.find(name => Number(name.slice(3)) === other.length * 8);
    const own = hash && (claimed.hash === hash ? claimed.value : subject && digestOf(subject, hash));
    return own !== undefined && isEqual(own, other);
  };
  return comparing(signature, isDigest, isDigest, key => {
    const hash = hashOf(key);
    if (hash === undefined) return false;
    if (subject?.bytes) return verifiesBytes(key, hash, subject.bytes, signature);
    const digest = hash === 'none' ? undefined : claimed.hash === hash ? claimed.value : subject && digestOf(subject, hash);
    const verified = digest && hash !== 'none' ? verifiesDigest(key, hash, digest, signature) : NEEDS_BYTES;
    if (verified === NEEDS_BYTES) throw unreadable(subject, claimed.hash);
    return verified;
  });
}

/** Bytes that are not the artifact's would not help either. */
function unreadable(subject: ArtifactSubject | undefined, claimed: HashName) {
  if (!subject && claimed === 'sha256') return invalid('the signature is about another artifact', 'subject-mismatch');
  return invalid('a signature by a key of this kind is checked with the bytes of the artifact', 'subject-bytes-needed');
}

function ofMessage(signature: Buffer, message: Uint8Array, payload: Uint8Array): Content {
  const isDigestOf = (bytes: Uint8Array) => (other: Buffer) => {
    const hash = HASHES.find(name => Number(name.slice(3)) === other.length * 8);
    return hash !== undefined && isEqual(createHash(hash).update(bytes).digest(), other);
  };
  return comparing(signature, isDigestOf(payload), isDigestOf(message), key => {
    const hash = hashOf(key);
    return hash !== undefined && verifiesBytes(key, hash, message, signature);
  });
}

function comparing(
  signature: Buffer,
  isDigest: (other: Buffer) => boolean,
  isSignedDigest: (other: Buffer) => boolean,
  verifySignature: (key: KeyObject) => boolean,
): Content {
  let held: { readonly key: KeyObject; readonly verified: boolean } | undefined;
  return {
    signature,
    compareSignature: other => isEqual(other, signature),
    compareDigest: isDigest,
    compareSignedDigest: isSignedDigest,
    verifySignature: key => {
      if (!held?.key.equals(key)) held = { key, verified: verifySignature(key) };
      return held.verified;
    },
  };
}
