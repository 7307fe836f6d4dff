import { canonicalJson, sha256, type Digest, type TrustMaterial, type Verdict } from '@packs/domain';
import { tarBytes } from '@packs/pack-format';
import { EvidenceReadModel, type BlobRef } from '@packs/ports';
import { encodeTrustMaterial } from '@packs/sigstore';
import { aKeylessAuthority, aSigner, InMemoryBlobStore } from '@packs/testing';
import type { SummedFile } from './sum-files';
import { trustFiles } from './trust-files';

/** Counts what is read, and how many at once. */
class Watched extends InMemoryBlobStore {
  atOnce = 0;
  private open = 0;

  override async readBytes(blob: BlobRef): Promise<Buffer> {
    this.atOnce = Math.max(this.atOnce, (this.open += 1));
    const bytes = await super.readBytes(blob);
    this.open -= 1;
    return bytes;
  }
}

class Stored extends EvidenceReadModel {
  readonly refs = new Map<Digest, BlobRef>();
  verdicts = () => Promise.resolve([]);
  policies = () => Promise.resolve([]);
  leaves = () => Promise.resolve([]);
  blobs = (_: string, digests: readonly Digest[]) =>
    Promise.resolve([...this.refs.values()].filter(({ digest }) => digests.includes(digest)));
}

const NOBODY = sha256(canonicalJson({ keys: [] }));

describe('trustFiles', () => {
  let store: Watched;
  let stored: Stored;
  beforeEach(() => {
    store = new Watched();
    stored = new Stored();
  });

  function put(material: TrustMaterial): Digest {
    const ref = store.put(encodeTrustMaterial(material));
    stored.refs.set(ref.digest, ref);
    return ref.digest;
  }

  const filesOf = (digests: readonly Digest[]) => trustFiles(stored, store, 'acme', digests.map(verdictBy));

  it('reads one material after another, and holds none of them but their keys', async () => {
    const { trustedRoot } = await aKeylessAuthority();
    const root = canonicalJson(trustedRoot);
    const signers = ['a', 'b', 'c', 'd', 'e'].map(name => aSigner(name).key);
    const digests = signers.map(key => put({ keys: [key], trustedRoots: [root] }));
    const { files, trusted, keys } = await filesOf([...digests, ...digests, NOBODY]);
    expect([store.atOnce, store.reads.length]).toEqual([1, 5]);
    expect([trusted.size, keys.length]).toEqual([6, 5]);
    expect(trusted.get(digests[0] ?? NOBODY)?.roots).toEqual([sha256(root)]);
    const held = files.filter(file => 'bytes' in file).map(({ path }) => path.split('/')[0]);
    expect(held).toEqual(Array(5).fill('keys'));

    const folders = Object.groupBy(files, ({ path }) => path.split('/')[0] ?? '');
    expect(Object.entries(folders).map(([folder, list]) => `${folder} ${list?.length}`)).toEqual(['trust 6', 'roots 1', 'keys 5']);
    for (const file of files) expect(sha256(await contentOf(file))).toBe(file.digest);
    expect([store.atOnce, store.reads.length]).toEqual([1, 11]);
  });

  it('gives nothing out of what is damaged by the time it leaves', async () => {
    const digest = put({ keys: [aSigner('a').key] });
    const { files } = await filesOf([digest]);
    const { objectKey = '', size = 0 } = stored.refs.get(digest) ?? {};
    store.objects.set(objectKey, Buffer.alloc(size));
    const file = files.find(({ path }) => path.startsWith('trust/'));
    await expect(file && contentOf(file)).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
    await expect(filesOf([digest])).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
  });

  it('takes 256 materials and no more', async () => {
    const digests = Array.from({ length: 257 }, (_, at) => sha256(`${at}`));
    expect((await filesOf(digests.slice(1))).files).toEqual([]);
    await expect(filesOf(digests)).rejects.toMatchObject({ code: 'ERR_PACK_LIMIT' });
  });
});

/** As it leaves in the archive, without what the archive puts around it. */
async function contentOf(file: SummedFile): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of tarBytes([file])) parts.push(part);
  const size = 'bytes' in file ? file.bytes.length : file.size;
  return Buffer.concat(parts).subarray(512, 512 + size);
}

function verdictBy(digest: Digest): Verdict {
  return {
    schema: 'stellaops.io/verdict.v1',
    outcome: 'accepted',
    subject: { bundle: sha256('bundle') },
    policy: null,
    trust: { digest, epoch: 1 },
    evidence: [],
    checks: [],
    identities: [],
    evaluatedAt: '2026-01-17T08:00:00.000Z',
  };
}
