import { createHash, createSign } from 'node:crypto';
import path from 'node:path';
import { bundleToJSON, toMessageSignatureBundle } from '@sigstore/bundle';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import { digestHex, type Digest } from '@packs/domain';
import { signingHashOf } from '@packs/sigstore';
import { measure } from '../pack-files';
import { encodeStatement, parametersOf, signStatement } from './sign-statement';
import type { SigningKey } from './signing-key';

interface SignedBundle {
  readonly digest: Digest;
  /** A sigstore bundle v0.3 in JSON. */
  readonly document: string;
}

const PREDICATE_TYPE = 'https://stellaops.io/attestation/pack-signature/v1';

/**
 * Signs an artifact as `cosign sign-blob --key` does: over its bytes, with the key named by the base64 SHA-256 of its SubjectPublicKeyInfo.
 * Ed25519 hashes by itself and would need the artifact in memory; it signs an in-toto statement about the artifact's digest instead.
 */
export async function signBundle(artifact: AsyncIterable<Uint8Array>, key: SigningKey, file: string): Promise<SignedBundle> {
  const hash = signingHashOf(key.scheme);
  if (hash === undefined) {
    const { digest } = await measure(artifact);
    const statement = encodeStatement([{ name: path.basename(file), digest }], PREDICATE_TYPE, {});
    return { digest, document: signStatement(statement, key) };
  }
  const [signer, signed] = [createSign(hash), createHash(hash)];
  const see = (chunk: Uint8Array): void => {
    signer.update(chunk);
    signed.update(chunk);
  };
  const { digest } = await measure(tee(artifact, see));
  const signature = signer.sign(parametersOf(key));
  const keyHint = Buffer.from(digestHex(key.keyId), 'hex').toString('base64');
  const bundle = toMessageSignatureBundle({ digest: signed.digest(), signature, keyHint });
  bundle.content.messageSignature.messageDigest.algorithm = hash === 'sha384' ? HashAlgorithm.SHA2_384 : HashAlgorithm.SHA2_256;
  return { digest, document: `${JSON.stringify(bundleToJSON(bundle))}\n` };
}

async function* tee(source: AsyncIterable<Uint8Array>, see: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of source) {
    see(chunk);
    yield chunk;
  }
}
