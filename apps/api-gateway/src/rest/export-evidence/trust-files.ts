import { canonicalJson, sha256, type Digest, type Verdict } from '@packs/domain';
import { readWhole, type BlobStore, type EvidenceReadModel } from '@packs/ports';
import { keyIdOf, MAX_TRUST_MATERIAL_BYTES, readTrustMaterial } from '@packs/sigstore';
import { jsonFile, keyFile } from './document-files';
import type { Trusted } from './signature-checks';
import { summed, type SummedFile } from './sum-files';

export interface TrustFiles {
  readonly files: readonly SummedFile[];
  readonly trusted: ReadonlyMap<Digest, Trusted>;
  readonly keys: readonly { readonly keyId: Digest; readonly name: string; readonly scheme: string; readonly file: string }[];
}

/** Nobody is trusted: what a tenant has before its first key, and which is stored nowhere. */
const NONE = Buffer.from(canonicalJson({ keys: [] }));
const NOTHING = { digest: sha256(NONE), bytes: NONE };

/** The trust material that verdicts name, as it was judged by, and its keys and roots as stock tools read them. */
export async function trustFiles(
  evidence: EvidenceReadModel,
  blobs: BlobStore,
  tenant: string,
  verdicts: readonly Verdict[],
): Promise<TrustFiles> {
  const digests = [...new Set(verdicts.map(({ trust }) => trust.digest))].toSorted();
  const files = new Map<string, SummedFile>();
  const trusted = new Map<Digest, Trusted>();
  const keys = new Map<string, TrustFiles['keys'][number]>();
  const stored = await evidence.blobs(tenant, digests);
  const materials = stored.map(async blob => ({ digest: blob.digest, bytes: await readWhole(blobs, blob, MAX_TRUST_MATERIAL_BYTES) }));
  for (const { digest, bytes } of [...(await Promise.all(materials)), ...(digests.includes(NOTHING.digest) ? [NOTHING] : [])]) {
    const { keys: listed, trustedRoots = [] } = readTrustMaterial(bytes);
    const roots = trustedRoots.map(text => ({ digest: sha256(text), bytes: Buffer.from(text) }));
    const named = listed.map(key => ({ ...key, keyId: keyIdOf(key) }));
    trusted.set(digest, { keyIds: new Set(named.map(({ keyId }) => keyId)), roots: roots.map(root => root.digest) });
    const put = (path: string, content: Uint8Array) => files.set(path, summed(path, content));
    put(jsonFile('trust', digest), bytes);
    for (const root of roots) put(jsonFile('roots', root.digest), root.bytes);
    for (const { keyId, name, scheme, publicKey } of named) {
      const file = keyFile(keyId);
      put(file, Buffer.from(publicKey));
      keys.set(`${keyId} ${name} ${scheme}`, { keyId, name, scheme, file });
    }
  }
  const sorted = [...keys].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
  return { files: [...files.values()], trusted, keys: sorted };
}
