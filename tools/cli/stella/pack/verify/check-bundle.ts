import { DomainError, type Digest, type TrustedKey } from '@packs/domain';
import { walkBundle } from '@packs/pack-format';
import { verifyPackSignature, type SignatureResult, type SignedManifest } from '@packs/sigstore';
import { readBundle, type SignatureFile } from '../pack-files';

interface BundleToCheck {
  readonly file: string;
  /** The digest the bytes of `file` have been found to have. */
  readonly digest: Digest;
  readonly size: number;
  readonly signatures: readonly SignatureFile[];
  /** Empty: signatures are not judged. */
  readonly keys: readonly TrustedKey[];
  /** The OCI manifest that names the bundle: a signature of it is one of the bundle. */
  readonly manifest?: SignedManifest;
  /** What the manifest must say, where it is known. */
  readonly packId?: string;
  readonly version?: string;
}

export interface CheckedBundle {
  readonly packId: string;
  readonly version: string;
  readonly digest: Digest;
  readonly size: number;
  readonly files: number;
  readonly signedBy: { readonly name: string; readonly keyId: Digest; readonly scheme: string } | null;
}

/**
 * Walks a bundle on this machine and looks for a signature by one of the keys.
 * @throws DomainError ERR_PACK_BUNDLE_* | ERR_PACK_MANIFEST_* | ERR_PACK_SIGNATURE_*
 */
export async function checkBundle(bundle: BundleToCheck): Promise<CheckedBundle> {
  const { manifest, entries } = await walkBundle(readBundle(bundle.file), { size: bundle.size });
  const { packId, version } = manifest.metadata;
  if ((bundle.packId ?? packId) !== packId || (bundle.version ?? version) !== version) {
    throw new DomainError('ERR_PACK_MANIFEST_MISMATCH', `the bundle says it is ${packId}@${version}`);
  }
  const signedBy = bundle.keys.length === 0 ? null : await signerOf(bundle);
  return { packId, version, digest: bundle.digest, size: bundle.size, files: entries.length, signedBy };
}

async function signerOf({ file, digest, size, signatures, keys, manifest }: BundleToCheck): Promise<CheckedBundle['signedBy']> {
  if (signatures.length === 0) throw new DomainError('ERR_PACK_SIGNATURE_MISSING', 'there is no signature');
  const refusals: Exclude<SignatureResult, { valid: true }>[] = [];
  for (const signature of signatures) {
    const result = await verifyPackSignature({
      artifact: () => readBundle(file),
      digest,
      size,
      signature,
      keys,
      ...(manifest && { manifest }),
    });
    if (result.valid) return { name: result.key.name, keyId: result.keyId, scheme: result.key.scheme };
    refusals.push(result);
  }
  const code = refusals.find(({ reason }) => reason !== 'ERR_PACK_SIGNATURE_UNTRUSTED')?.reason ?? 'ERR_PACK_SIGNATURE_UNTRUSTED';
  const errors = refusals.map(({ message }, at) => ({ field: `signature ${at + 1}`, message }));
  throw new DomainError(code, 'no signature is by a given key over these bytes', { errors });
}
