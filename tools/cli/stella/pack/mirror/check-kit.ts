import { readFile } from 'node:fs/promises';
import type { KitManifest } from '@packs/contracts';
import { DomainError, type Digest, type TrustedKey } from '@packs/domain';
import { readKit } from '@packs/pack-format';
import { verifyKitSignature, type KitExporter } from '@packs/sigstore';
import { measure, readBundle } from '../pack-files';

export interface CheckedKit {
  readonly digest: Digest;
  readonly size: number;
  readonly manifest: KitManifest;
  /** Null when no key was given to judge by. */
  readonly signedBy: KitExporter | null;
}

export function kitSignatureFile(kit: string): string {
  return `${kit}.sigstore.json`;
}

/** @throws DomainError ERR_KIT_UNSIGNED */
export async function readKitSignature(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENOENT' ? new DomainError('ERR_KIT_UNSIGNED', `there is no signature ${file}`, { cause }) : cause;
  });
}

/**
 * Checks a kit on this machine, from its signature to its last byte, without asking anybody.
 * @param keys of exporters; empty: who signed is not judged
 * @throws DomainError ERR_KIT_…
 */
export async function checkKit(file: string, signature: Buffer, keys: readonly TrustedKey[]): Promise<CheckedKit> {
  const { digest, size } = await measure(readBundle(file));
  const signed = keys.length === 0 ? null : verifyKitSignature(signature, digest, keys);
  const { manifest, manifestDigest } = await readKit({ bytes: readBundle(file), size });
  const isWhole = signed === null || (signed.isAbout && verifyKitSignature(signature, manifestDigest, keys).isAbout);
  if (!isWhole) throw new DomainError('ERR_KIT_DIGEST', 'the kit is not the one that was signed', { details: { digest } });
  return { digest, size, manifest, signedBy: signed && signed.exporter };
}

/** A kit as it is shown to people and programs. */
export function describeKit({ digest, size, manifest, signedBy }: CheckedKit) {
  const { generation, source, selection, versions, schema } = manifest;
  return {
    format: schema,
    digest,
    size,
    tenant: source.tenant,
    log: source.log,
    generation,
    selection,
    versions: versions.length,
    signedBy,
  };
}
