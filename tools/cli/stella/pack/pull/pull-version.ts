import { rename, writeFile } from 'node:fs/promises';
import type { SignatureList, VersionView } from '@packs/contracts';
import {
  DomainError,
  SIGNATURE_MEDIA_TYPES,
  parseDigest,
  sha256,
  type Digest,
  type SignatureMediaType,
  type TrustedKey,
} from '@packs/domain';
import type { VersionReference } from '../../../client/pack-reference';
import { packPath, type RegistryClient } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { Progress } from '../../../terminal/progress';
import { signatureFileOf, type SignatureFile } from '../pack-files';
import { checkBundle, type CheckedBundle } from '../verify/check-bundle';
import { download } from './download';

interface WantedVersion extends VersionReference {
  readonly namespace?: string;
  /** The digest it must have. */
  readonly digest?: Digest;
}

interface PullTarget {
  readonly file: string;
  /** One of these must have signed. Empty: signatures are fetched and not judged. */
  readonly keys: readonly TrustedKey[];
  readonly progress?: boolean;
}

interface PulledVersion extends CheckedBundle {
  readonly file: string;
  readonly signatures: readonly string[];
}

/** Nothing has the name `target.file` before its bytes, its manifest and, with keys, its signature have been checked here. */
export async function pullVersion(
  context: CliContext,
  registry: RegistryClient,
  wanted: WantedVersion,
  target: PullTarget,
): Promise<PulledVersion> {
  const { packId, version, namespace } = wanted;
  const route = packPath(packId, version);
  const view = await registry.get<VersionView>(route, { namespace });
  const digest = parseDigest(view.digest);
  if (wanted.digest !== undefined && wanted.digest !== digest) {
    throw new DomainError('ERR_PACK_DIGEST_MISMATCH', `${packId}@${version} has the digest ${digest} and not ${wanted.digest}`);
  }
  const signatures = await fetchSignatures(registry, route, namespace);
  const label = `pulling ${packId}@${version}`;
  const part = await download(
    headers => registry.request('GET', `${route}/bundle`, { namespace }, { headers }),
    { file: target.file, digest, size: view.size },
    start => Progress.of(context, label, { total: view.size, start, wanted: target.progress }),
  );
  const checked = await checkBundle({ file: part, digest, size: view.size, signatures, keys: target.keys, packId, version });
  const written: string[] = [];
  for (const [nth, { mediaType, content }] of signatures.entries()) {
    const file = signatureFileOf(target.file, mediaType, nth);
    await writeFile(file, content);
    written.push(file);
  }
  await rename(part, target.file);
  return { file: target.file, ...checked, signatures: written };
}

async function fetchSignatures(registry: RegistryClient, route: string, namespace: string | undefined): Promise<SignatureFile[]> {
  const { signatures } = await registry.get<SignatureList>(`${route}/signatures`, { namespace });
  return signatures.filter(isReadable).map(({ digest, mediaType, content }) => {
    const bytes = Buffer.from(content, 'base64');
    if (sha256(bytes) !== digest) throw new DomainError('ERR_PACK_DIGEST_MISMATCH', `a signature does not have its digest ${digest}`);
    return { mediaType, content: bytes };
  });
}

/** Kinds this command does not know yet are left to others. */
function isReadable<T extends { readonly mediaType: string }>(signature: T): signature is T & { readonly mediaType: SignatureMediaType } {
  return (SIGNATURE_MEDIA_TYPES as readonly string[]).includes(signature.mediaType);
}
