import { ReverifyVersion, VerifyAttestation, type KitManifest, type KitVersion, type Selection } from '@packs/contracts';
import { sha256, type AuditEntry, type Digest, type SigningPolicy, type Verdict } from '@packs/domain';
import { kitBytes, readKit } from '@packs/pack-format';
import {
  AuditReadModel,
  PackInventory,
  type AuditQuery,
  type InventoryBlob,
  type InventoryReferrer,
  type InventoryVersion,
  type StoredBlob,
  type VersionRecord,
} from '@packs/ports';
import { aKit, FixedClock, InMemoryBlobStore, ScriptedCommandBus, type TestKit } from '@packs/testing';
import { Admission } from '../admission/admission';
import { FewRecords } from '../stage-kit/stage-kit.fixture';
import { KitRun } from '../work-kits/kit-run';
import { CollectKit } from './collect-kit';

const AT = '2026-01-17T08:00:00.000Z';
const ASKING: SigningPolicy = { name: 'default', version: 1, rule: { keyRef: 'release' }, unsigned: 'reject' };

/** A registry whose tables and log tell of the packs of a kit. `shuffle` gives its rows and objects another order. */
class Machine {
  readonly store = new InMemoryBlobStore();
  readonly clock: FixedClock;
  readonly bus: ScriptedCommandBus;
  trusted = true;
  /** What let the versions in. */
  policy: SigningPolicy | null = null;
  readonly distrusted = new Set<Digest>();
  entries: AuditEntry[];
  private readonly blobs = new Map<Digest, StoredBlob>();

  constructor(
    readonly kit: TestKit,
    private readonly shuffle: <T>(items: readonly T[]) => T[],
    time: string,
  ) {
    this.clock = new FixedClock(time);
    for (const [digest, bytes] of shuffle([...kit.blobs])) this.blobs.set(digest, { ...this.store.put(bytes), digest, blockChecksums: '' });
    const judged = (trusted: boolean) =>
      ({ verdict: { outcome: trusted ? 'accepted' : 'rejected' }, verdictHash: sha256(''), faults: [] }) as never;
    this.bus = new ScriptedCommandBus()
      .answer(ReverifyVersion, ({ policies, attestations = [] }) =>
        judged(this.trusted && policies.every(({ require }) => (require?.attestations ?? []).length <= attestations.length)),
      )
      .answer(VerifyAttestation, ({ attestation }) => judged(!this.distrusted.has(attestation.digest)));
    const [first, ...rest] = entriesOf(kit.manifest);
    this.entries = first ? [first, ...shuffle(rest)].map((entry, at) => ({ ...entry, seq: at + 1 })) : [];
  }

  async collect(selection: Selection = {}, seq = this.entries.length) {
    const collect = new CollectKit(this.audit(), this.inventory(), this.records(), this.store, new Admission(this.bus, this.clock));
    return collect.execute('acme', selection, seq, new KitRun(() => undefined));
  }

  async bytes(selection?: Selection, seq?: number): Promise<Buffer> {
    const { manifest, sources } = await this.collect(selection, seq);
    const { store } = this;
    const parts: Uint8Array[] = [];
    const open = async function* ({ digest }: { digest: Digest }): AsyncIterable<Uint8Array> {
      const source = sources.get(digest);
      if (Buffer.isBuffer(source)) yield source;
      else if (source) yield* store.read({ digest: source.digest, size: source.size, objectKey: source.objectKey });
    };
    for await (const part of kitBytes(manifest, open)) parts.push(part);
    return Buffer.concat(parts);
  }

  private audit(): AuditReadModel {
    const { entries } = this;
    return new (class extends AuditReadModel {
      async entries(_tenant: string, { after, limit }: AuditQuery) {
        return entries.slice(after, after + limit).map(entry => ({ ...entry, leafHash: sha256('the first leaf').slice(7) }));
      }
      async head(): Promise<number> {
        return entries.length;
      }
    })();
  }

  private inventory(): PackInventory {
    const versions = this.shuffle(this.kit.manifest.versions.map(version => this.stored(version)));
    return new (class extends PackInventory {
      async *versions(): AsyncIterable<InventoryVersion> {
        yield* versions;
      }
      async includes(): Promise<boolean> {
        return true;
      }
      async heads(): Promise<never[]> {
        return [];
      }
      async size(): Promise<{ versions: number; bytes: number }> {
        return { versions: 0, bytes: 0 };
      }
    })();
  }

  private records(): FewRecords {
    const { kit, blobs, shuffle } = this;
    return new (class extends FewRecords {
      override async versions(): Promise<never[]> {
        const records = kit.manifest.versions.map((version): VersionRecord => {
          const verdict = JSON.parse(String(kit.blobs.get(version.verdict.digest))) as Verdict;
          const { packId, publishedBy, source } = version;
          return { packId, version: version.version, publishedBy, source, verdict, verdictHash: version.verdict.digest };
        });
        return shuffle(records) as never[];
      }
      override async blobs(): Promise<ReadonlyMap<Digest, StoredBlob>> {
        return blobs;
      }
    })();
  }

  private stored(version: KitVersion): InventoryVersion {
    const at = (descriptor: { digest: Digest; mediaType: string }): InventoryBlob => {
      const blob = this.blobs.get(descriptor.digest);
      if (!blob) throw new Error(`no blob ${descriptor.digest}`);
      // No checksums: the store here has none.
      const { digest, size, objectKey } = blob;
      return { digest, size, objectKey, mediaType: descriptor.mediaType } as InventoryBlob;
    };
    const referrer =
      (kind: InventoryReferrer['kind']) =>
      ({ manifest, document, ...rest }: KitVersion['signatures'][number] | KitVersion['attestations'][number]): InventoryReferrer => ({
        manifest: { ...at(manifest), artifactType: manifest.artifactType },
        blobs: [at(document)],
        kind,
        verification: 'predicateType' in rest ? { epoch: 1, policy: null, predicateType: rest.predicateType, addedAt: rest.addedAt } : null,
      });
    const { packId, type, digest, publishedAt } = version;
    return {
      ...{ tenant: 'acme', packId, version: version.version, type, digest, publishedAt, channels: [], visibility: [] },
      ...{ lifecycle: 'active', deprecation: null },
      manifest: at(version.manifest),
      blobs: [at(version.config), at(version.bundle)],
      referrers: this.shuffle([...version.signatures.map(referrer('signature')), ...version.attestations.map(referrer('attestation'))]),
      verification: {
        epoch: 1,
        channel: 'edge',
        policy: this.policy,
        signatures: [],
        trust: { epoch: 9, digest: sha256(''), material: null },
      },
    };
  }
}

/** What the log of the kit's tenant would say. */
function entriesOf({ versions, trust }: KitManifest): AuditEntry[] {
  const entry = (type: string, about: Partial<AuditEntry>, data: object): AuditEntry => ({
    ...{ seq: 0, id: `evt_${type}`, type, tenant: 'acme', packId: null, version: null, actor: 'acme-ci', source: null, signatures: [] },
    ...{ metadataHash: sha256(''), occurredAt: AT, data: { ...data } },
    ...about,
  });
  return [
    entry('registry.trust.updated', {}, { epoch: 1, digest: trust.current }),
    ...versions.flatMap(({ packId, version, type, manifest, channel, publishedAt, signatures, attestations }) => [
      entry(
        'pack.version.published',
        { packId, version, signatures: signatures.map(({ document }) => document.digest) },
        { packType: type, channel, manifestDigest: manifest.digest, publishedAt, channelMoved: true },
      ),
      ...attestations.map(({ manifest: referrer, document, predicateType, addedAt }) =>
        entry(
          'pack.attestation.added',
          { packId, version },
          { attestation: document.digest, referrer: referrer.digest, predicateType, addedAt },
        ),
      ),
    ]),
  ];
}

describe('CollectKit', () => {
  let kit: TestKit;
  let plain: Machine;

  beforeAll(async () => {
    kit = await aKit({
      packs: [
        { packId: 'acme.hello', version: '1.0.0', attestation: Buffer.from('{"one":1}') },
        { packId: 'acme.hello', version: '1.10.0' },
        { packId: 'acme.hello', version: '1.9.0' },
        { packId: 'acme.other', version: '2.0.0', attestation: Buffer.from('{"two":2}') },
      ],
    });
  });
  beforeEach(() => {
    plain = new Machine(kit, items => [...items], AT);
  });

  it('makes the same bytes on another machine, in another year, with rows and objects in another order', async () => {
    const elsewhere = new Machine(kit, items => [...items].reverse(), '2031-12-31T23:59:59.000Z');
    const [here, there] = [await plain.bytes(), await elsewhere.bytes()];
    expect(there.equals(here)).toBe(true);
    const { manifest } = await readKit({ bytes: once(here), size: here.length });
    expect(manifest.versions.map(({ packId, version }) => `${packId}@${version}`)).toEqual([
      'acme.hello@1.0.0',
      'acme.hello@1.9.0',
      'acme.hello@1.10.0',
      'acme.other@2.0.0',
    ]);
    expect(manifest.versions.map(({ headOf }) => headOf)).toEqual([[], [], ['edge'], ['edge']]);
  });

  it('makes the same bytes as of the same entry, whatever was published, attested or distrusted since', async () => {
    const earlier = await plain.bytes({}, 3);
    plain.entries.push({ ...entryOf(plain, 0), seq: plain.entries.length + 1, data: { epoch: 2, digest: kit.manifest.trust.current } });
    plain.trusted = false;
    expect((await plain.bytes({}, 3)).equals(earlier)).toBe(true);
    const { manifest } = await plain.collect({}, 3);
    expect(manifest.versions.map(({ version, attestations }) => [version, attestations.length])).toEqual([['1.0.0', 1]]);
    expect((await plain.collect({}, 2)).manifest.versions[0]?.attestations).toEqual([]);
  });

  it('judges a version by the attestations that it had by then', async () => {
    const [predicateType] = kit.manifest.versions.flatMap(({ attestations }) => attestations.map(one => one.predicateType));
    if (!predicateType) throw new Error('no attestation');
    plain.policy = { ...ASKING, require: { attestations: [{ predicateType }] } };
    const versions = async (seq: number) => {
      const { manifest, withdrawn } = await plain.collect({}, seq);
      return [manifest.versions.map(({ version }) => version), withdrawn];
    };
    expect(await versions(3)).toEqual([['1.0.0'], 0]);
    expect(plain.bus.sent).toEqual([]);
    expect(await versions(2)).toEqual([[], 1]);
    plain.policy = { ...ASKING, require: { attestations: [{ predicateType: 'https://example.test/other' }] } };
    expect(await versions(3)).toEqual([['1.0.0'], 0]);
  });

  it('leaves out what the keys in force by then did not vouch for', async () => {
    plain.entries.push({ ...entryOf(plain, 0), seq: plain.entries.length + 1, data: { epoch: 2, digest: kit.manifest.trust.current } });
    expect((await plain.collect()).withdrawn).toBe(0);
    plain.trusted = false;
    const { manifest, withdrawn } = await plain.collect();
    expect([manifest.versions, withdrawn, manifest.trust.epoch]).toEqual([[], 4, 2]);
  });

  it('leaves out an attestation, and nothing else, that the keys in force by then did not vouch for', async () => {
    const [attestation] = kit.manifest.versions.flatMap(({ attestations }) => attestations);
    if (!attestation) throw new Error('no attestation');
    plain.distrusted.add(attestation.document.digest);
    const before = await plain.bytes();
    plain.entries.push({ ...entryOf(plain, 0), seq: plain.entries.length + 1, data: { epoch: 2, digest: kit.manifest.trust.current } });
    const { manifest, sources } = await plain.collect();
    expect(manifest.versions.map(({ attestations }) => attestations.length)).toEqual([0, 0, 0, 1]);
    expect([attestation.document, attestation.manifest].filter(({ digest }) => sources.has(digest))).toEqual([]);
    expect((await plain.bytes({}, plain.entries.length - 1)).equals(before)).toBe(true);
  });

  it('names the log it was made from, and is of its entry', async () => {
    const { manifest } = await plain.collect({ channels: ['edge'] });
    expect(manifest).toMatchObject({
      generation: plain.entries.length,
      source: { tenant: 'acme', log: sha256('the first leaf') },
      selection: { channels: ['edge'] },
    });
  });

  it('is not made from a log with a hole', async () => {
    plain.entries = plain.entries.filter(({ seq }) => seq !== 2);
    await expect(plain.collect({}, 4)).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
  });

  it('is not made of versions that are not what the log says of them', async () => {
    plain.entries = plain.entries.map(entry =>
      entry.type === 'pack.version.published' ? { ...entry, data: { ...entry.data, manifestDigest: sha256('x') } } : entry,
    );
    await expect(plain.collect()).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
  });
});

function entryOf({ entries }: Machine, at: number): AuditEntry {
  const entry = entries[at];
  if (!entry) throw new Error(`no entry ${at}`);
  return entry;
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
