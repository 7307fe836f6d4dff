import { canonicalJson, DomainError, sha256, type Digest, type Verdict } from '@packs/domain';
import { readWhole, type BlobRef, type BlobStore, type EvidenceReadModel } from '@packs/ports';
import { keyIdOf, MAX_TRUST_MATERIAL_BYTES, readTrustMaterial } from '@packs/sigstore';
import { jsonFile, keyFile } from './document-files';
import type { Trusted } from './signature-checks';
import { summed, type SummedFile } from './sum-files';

export interface TrustFiles {
  readonly files: readonly SummedFile[];
  readonly trusted: ReadonlyMap<Digest, Trusted>;
  readonly keys: readonly { readonly keyId: Digest; readonly name: string; readonly scheme: string; readonly file: string }[];
}

/** Trust materials of one version's verdicts at the most: there is another one with each change of keys and roots. */
const MAX_MATERIALS = 256;

/** Nobody is trusted: what a tenant has before its first key, and which is stored nowhere. */
const NONE = Buffer.from(canonicalJson({ keys: [] }));
const NOTHING: Digest = sha256(NONE);

/**
 * The trust material that verdicts name, as it was judged by, and its keys and roots as stock tools read them. One material is read at a time, and read
 * again when its turn comes to leave: only keys stay in memory.
 * @throws DomainError ERR_PACK_LIMIT, ERR_PACK_CORRUPT
 */
export async function trustFiles(
  evidence: EvidenceReadModel,
  blobs: BlobStore,
  tenant: string,
  verdicts: readonly Verdict[],
): Promise<TrustFiles> {
  const digests = [...new Set(verdicts.map(({ trust }) => trust.digest))].toSorted();
  if (digests.length > MAX_MATERIALS) {
    throw new DomainError('ERR_PACK_LIMIT', `the evidence of a version has at most ${MAX_MATERIALS} trust materials`);
  }
  const files = new Map<string, SummedFile>();
  const trusted = new Map<Digest, Trusted>();
  const keys = new Map<string, TrustFiles['keys'][number]>();
  for (const { digest, read } of await materials(evidence, blobs, tenant, digests)) {
    const bytes = await read();
    const { keys: listed, trustedRoots = [] } = readTrustMaterial(bytes);
    const named = listed.map(key => ({ ...key, keyId: keyIdOf(key) }));
    const roots = trustedRoots.map(text => ({ digest: sha256(text), size: Buffer.byteLength(text) }));
    trusted.set(digest, { keyIds: new Set(named.map(({ keyId }) => keyId)), roots: roots.map(root => root.digest) });
    const later = (path: string, file: Summary, content: () => Promise<Uint8Array>) =>
      files.set(path, { path, digest: file.digest, size: file.size, open: () => once(content) });
    later(jsonFile('trust', digest), { digest, size: bytes.length }, read);
    for (const root of roots) later(jsonFile('roots', root.digest), root, async () => rootIn(await read(), root.digest));
    for (const { keyId, name, scheme, publicKey } of named) {
      const file = keyFile(keyId);
      files.set(file, summed(file, Buffer.from(publicKey)));
      keys.set(`${keyId} ${name} ${scheme}`, { keyId, name, scheme, file });
    }
  }
  const sorted = [...keys].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
  return { files: [...files.values()], trusted, keys: sorted };
}

type Summary = Pick<BlobRef, 'digest' | 'size'>;

interface Material {
  readonly digest: Digest;
  read(): Promise<Buffer>;
}

async function materials(
  evidence: EvidenceReadModel,
  blobs: BlobStore,
  tenant: string,
  digests: readonly Digest[],
): Promise<readonly Material[]> {
  const stored = await evidence.blobs(tenant, digests);
  return [
    ...stored.map(blob => ({ digest: blob.digest, read: () => readWhole(blobs, blob, MAX_TRUST_MATERIAL_BYTES) })),
    ...(digests.includes(NOTHING) ? [{ digest: NOTHING, read: async () => NONE }] : []),
  ];
}

async function* once(content: () => Promise<Uint8Array>): AsyncIterable<Uint8Array> {
  yield await content();
}

/** What was found in these bytes before. */
function rootIn(bytes: Uint8Array, digest: Digest): Buffer {
  const text = readTrustMaterial(bytes).trustedRoots?.find(root => sha256(root) === digest);
  if (text === undefined) throw new DomainError('ERR_PACK_CORRUPT', `the trust material does not have the root ${digest}`);
  return Buffer.from(text);
}
