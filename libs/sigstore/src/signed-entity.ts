import { createHash, timingSafeEqual, type KeyObject } from 'node:crypto';
import { dsse } from '@sigstore/core';
import type { SignedEntity } from '@sigstore/verify';
import type { Digest } from '@packs/domain';
import { invalid } from './signature-fault';
import type { SignedContent } from './signed-content';
import { hashOf, NEEDS_BYTES, verifiesBytes, verifiesDigest } from './signed-digest';

/** An artifact that a signature may be about: its digest, and its bytes where they are at hand, shown by the caller to be of that digest. */
export interface ArtifactSubject {
  readonly digest: Digest;
  readonly bytes?: Uint8Array;
}

type Content = SignedEntity['signature'];

/** What was signed, as `@sigstore/verify` asks about it. */
export function signatureContent(content: SignedContent, subjects: readonly ArtifactSubject[]): Content {
  if (content.kind === 'envelope') {
    const [signature = Buffer.alloc(0)] = content.signatures;
    return ofMessage(signature, dsse.preAuthEncoding(content.payloadType, content.payload), sha256(content.payload));
  }
  if (content.kind === 'simple') return ofMessage(content.signature, content.payload, sha256(content.payload));
  const { claimed, signature } = content;
  if (claimed === undefined) throw invalid('the bundle gives no digest of what was signed');
  const bytes = subjects.find(({ digest }) => digest === claimed)?.bytes;
  return comparing(signature, ofDigest(claimed), ofDigest(claimed), key => {
    if (hashOf(key) === undefined) return false;
    if (bytes) return verifiesBytes(key, hashOf(key) === 'none' ? 'none' : 'sha256', bytes, signature);
    const verified = verifiesDigest(key, 'sha256', ofDigest(claimed), signature);
    if (verified === NEEDS_BYTES) throw invalid('an Ed25519 signature of an artifact is checked with its bytes', 'subject-bytes-needed');
    return verified;
  });
}

function ofMessage(signature: Buffer, message: Uint8Array, digest: Buffer): Content {
  return comparing(signature, digest, sha256(message), key => {
    const hash = hashOf(key);
    return hash !== undefined && verifiesBytes(key, hash, message, signature);
  });
}

function comparing(signature: Buffer, digest: Buffer, signed: Buffer, verifySignature: (key: KeyObject) => boolean): Content {
  let held: { readonly key: KeyObject; readonly verified: boolean } | undefined;
  return {
    signature,
    compareSignature: other => equal(other, signature),
    compareDigest: other => equal(other, digest),
    compareSignedDigest: other => equal(other, signed),
    verifySignature: key => {
      if (!held?.key.equals(key)) held = { key, verified: verifySignature(key) };
      return held.verified;
    },
  };
}

function equal(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function ofDigest(digest: Digest): Buffer {
  return Buffer.from(digest.slice('sha256:'.length), 'hex');
}
