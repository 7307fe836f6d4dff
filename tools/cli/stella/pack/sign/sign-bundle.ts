import { constants, createSign, sign, type KeyObject } from 'node:crypto';
import path from 'node:path';
import { bundleToJSON, toDSSEBundle, toMessageSignatureBundle } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import { canonicalJson, digestHex, type Digest } from '@packs/domain';
import { measure } from '../pack-files';
import type { SigningKey } from './signing-key';

interface SignedBundle {
  readonly digest: Digest;
  /** A sigstore bundle v0.3 in JSON. */
  readonly document: string;
}

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const PREDICATE_TYPE = 'https://stellaops.io/attestation/pack-signature/v1';

/**
 * Signs an artifact as `cosign sign-blob --key` does: over its bytes, with the key named by the base64 SHA-256 of its SubjectPublicKeyInfo.
 * Ed25519 hashes by itself and would need the artifact in memory; it signs an in-toto statement about the artifact's digest instead.
 */
export async function signBundle(artifact: AsyncIterable<Uint8Array>, key: SigningKey, file: string): Promise<SignedBundle> {
  const keyHint = Buffer.from(digestHex(key.keyId), 'hex').toString('base64');
  if (key.scheme === 'ed25519') {
    const { digest } = await measure(artifact);
    const statement = statementAbout(digest, path.basename(file));
    const signature = sign(null, dsse.preAuthEncoding(PAYLOAD_TYPE, statement), key.object);
    const bundle = toDSSEBundle({ artifact: statement, artifactType: PAYLOAD_TYPE, signature, keyHint });
    return { digest, document: encode(bundleToJSON(bundle)) };
  }
  const signer = createSign('sha256');
  const { digest } = await measure(tee(artifact, chunk => signer.update(chunk)));
  const signature = signer.sign(parametersOf(key));
  const bundle = toMessageSignatureBundle({ digest: Buffer.from(digestHex(digest), 'hex'), signature, keyHint });
  return { digest, document: encode(bundleToJSON(bundle)) };
}

function parametersOf({ scheme, object }: SigningKey): { key: KeyObject; padding?: number; saltLength?: number } {
  if (scheme === 'rsa-pkcs1-sha256') return { key: object, padding: constants.RSA_PKCS1_PADDING };
  if (scheme === 'rsa-pss-sha256')
    return { key: object, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return { key: object };
}

/** in-toto Statement v1. */
function statementAbout(digest: Digest, name: string): Buffer {
  const subject = [{ name, digest: { sha256: digestHex(digest) } }];
  return Buffer.from(canonicalJson({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType: PREDICATE_TYPE, predicate: {} }));
}

async function* tee(source: AsyncIterable<Uint8Array>, see: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of source) {
    see(chunk);
    yield chunk;
  }
}

function encode(bundle: unknown): string {
  return `${JSON.stringify(bundle)}\n`;
}
