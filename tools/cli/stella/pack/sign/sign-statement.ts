import { constants, sign, type KeyObject } from 'node:crypto';
import { bundleToJSON, toDSSEBundle } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import { canonicalJson, digestHex, type Digest } from '@packs/domain';
import { signingHashOf } from '@packs/sigstore';
import type { SigningKey } from './signing-key';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** What a statement is about: an artifact by any name, known by its SHA-256. */
export interface StatementSubject {
  readonly name: string;
  readonly digest: Digest;
}

/** An in-toto statement v1 in RFC 8785 JSON. */
export function encodeStatement(subjects: readonly StatementSubject[], predicateType: string, predicate: object): Buffer {
  const subject = subjects.map(({ name, digest }) => ({ name, digest: { sha256: digestHex(digest) } }));
  return Buffer.from(canonicalJson({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate }));
}

/** Signs a statement in a DSSE envelope, as `cosign attest-blob --key` does; returns a sigstore bundle v0.3 in JSON. */
export function signStatement(statement: Buffer, key: SigningKey): string {
  const message = dsse.preAuthEncoding(PAYLOAD_TYPE, statement);
  const signature = signMessage(message, key);
  const keyHint = Buffer.from(digestHex(key.keyId), 'hex').toString('base64');
  return `${JSON.stringify(bundleToJSON(toDSSEBundle({ artifact: statement, artifactType: PAYLOAD_TYPE, signature, keyHint })))}\n`;
}

/** What node:crypto needs beside the key for each scheme. */
export function parametersOf({ scheme, object }: SigningKey): { key: KeyObject; padding?: number; saltLength?: number } {
  if (scheme === 'rsa-pkcs1-sha256') return { key: object, padding: constants.RSA_PKCS1_PADDING };
  if (scheme === 'rsa-pss-sha256')
    return { key: object, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return { key: object };
}

export function signMessage(message: Uint8Array, key: SigningKey): Buffer {
  return sign(signingHashOf(key.scheme), message, parametersOf(key));
}
