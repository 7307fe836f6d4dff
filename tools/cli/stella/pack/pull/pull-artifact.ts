import { rename, rm, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DomainError, parsePackId, parseVersion, type Digest, type TrustedKey } from '@packs/domain';
import { dockerCredentials, packOf, parseArtifactReference, RegistryClient, signaturesOf } from '@packs/registry-client';
import { encodeSimpleSignature } from '@packs/sigstore';
import type { CliContext } from '../../../terminal/cli-context';
import { Progress } from '../../../terminal/progress';
import { bundleFileName, signatureFileOf, type SignatureFile } from '../pack-files';
import { checkBundle, type CheckedBundle } from '../verify/check-bundle';

const SCHEME = 'oci://';

export interface WantedArtifact {
  /** `oci://<host>/<repository>`, and `:<tag>` or `@<digest>`. */
  readonly reference: string;
  readonly out?: string;
  readonly keys: readonly TrustedKey[];
  /** The digest the bundle must have. */
  readonly digest?: Digest;
  readonly plainHttp?: boolean;
  readonly progress?: boolean;
}

interface PulledArtifact extends CheckedBundle {
  readonly file: string;
  readonly manifestDigest: Digest;
  readonly signatures: readonly string[];
}

export function isArtifactReference(text: string): boolean {
  return text.startsWith(SCHEME);
}

/**
 * Pulls a pack from any OCI registry, as who `docker login` says. Everything has the digest that the manifest names, and nothing has the name of the
 * bundle before it was checked.
 */
export async function pullArtifact(context: CliContext, wanted: WantedArtifact): Promise<PulledArtifact> {
  const { host, repository: name, manifest: reference } = parseArtifactReference(wanted.reference.slice(SCHEME.length));
  const repository = repositoryAt(context, host, name, wanted.plainHttp);
  const manifest = await repository.manifest(reference);
  if (!manifest) throw new DomainError('ERR_PACK_NOT_FOUND', `there is no manifest at ${wanted.reference}`);
  const { config, bundle } = packOf(manifest);
  const { digest, size } = bundle;
  if (wanted.digest !== undefined && wanted.digest !== digest)
    throw new DomainError('ERR_PACK_DIGEST_MISMATCH', `the bundle there has the digest ${digest} and not ${wanted.digest}`);
  const named = nameIn(await wholeOf(repository.readBlob(config)));
  const found = await signaturesOf(repository, manifest, encodeSimpleSignature);
  const signatures: SignatureFile[] = [];
  for (const { mediaType, read } of found) signatures.push({ mediaType, content: await wholeOf(read()) });
  const file = wanted.out ?? bundleFileName(named);
  const part = `${file}.part`;
  try {
    const progress = Progress.of(context, `pulling ${named.packId}@${named.version}`, { total: size, wanted: wanted.progress });
    await pipeline(Readable.from(progress.count(repository.readBlob(bundle))), createWriteStream(part, { flush: true }));
    const signed = { digest: manifest.digest, bytes: manifest.bytes };
    const checked = await checkBundle({ file: part, digest, size, signatures, keys: wanted.keys, manifest: signed, ...named });
    const written = signatures.map(({ mediaType, content }, nth) => ({ path: signatureFileOf(file, mediaType, nth), content }));
    for (const { path, content } of written) await writeFile(path, content);
    await rename(part, file);
    return { file, ...checked, manifestDigest: manifest.digest, signatures: written.map(({ path }) => path) };
  } finally {
    await rm(part, { force: true });
  }
}

/** The host is the user's own choice, so it may be any. */
function repositoryAt(context: CliContext, host: string, name: string, plainHttp = false): ReturnType<RegistryClient['repository']> {
  const client = new RegistryClient({
    registries: [{ host, protocol: plainHttp ? 'http:' : 'https:', allowsPrivate: true }],
    credentialsOf: asked => dockerCredentials(asked, context.env),
  });
  return client.repository(host, name);
}

/** Parsed before they become part of a file's name. */
function nameIn(config: Buffer): { readonly packId: string; readonly version: string } {
  let metadata: Readonly<Record<string, unknown>> | undefined;
  try {
    ({ metadata } = JSON.parse(config.toString('utf8')) as { metadata?: Readonly<Record<string, unknown>> });
  } catch {
    // Told below.
  }
  const { packId, version } = metadata ?? {};
  if (typeof packId === 'string' && typeof version === 'string') return { packId: parsePackId(packId), version: parseVersion(version) };
  throw new DomainError('ERR_OCI_MANIFEST_INVALID', 'the config there is not that of a pack');
}

async function wholeOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}
