import { ImportKit, type ImportKitRequest, type ImportRequest, type KitPlan } from '@packs/contracts';
import { sha256 } from '@packs/domain';
import { kitBlobs } from '@packs/pack-format';
import { LeaseLost, readWhole, type HeldImport } from '@packs/ports';
import { aKit, anExporter, InMemoryBlobStore, KIT_LOG, ScriptedCommandBus, type Exporter, type TestKit } from '@packs/testing';
import { KitRun } from '../work-kits/kit-run';
import { StageKit } from './stage-kit';
import { FewRecords, OneImport } from './stage-kit.fixture';
import { TrustedExporters } from './trusted-exporters';

describe('StageKit', () => {
  let kit: TestKit;
  let bytes: Buffer;
  let exporter: Exporter;
  let store: InMemoryBlobStore;
  let queue: OneImport;
  let records: FewRecords;
  let bus: ScriptedCommandBus;
  let asked: ImportKitRequest[];

  beforeAll(async () => {
    kit = await aKit({ packs: [{}, { packId: 'acme.other', bundle: Buffer.alloc(1_500_000, 'x') }] });
    bytes = await kit.bytes();
    exporter = await anExporter('hq');
  });
  beforeEach(() => {
    store = new InMemoryBlobStore();
    queue = new OneImport();
    records = new FewRecords();
    asked = [];
    bus = new ScriptedCommandBus().answer(ImportKit, request => {
      asked.push(request);
      return { outcome: 'imported' as const, added: 2, known: 0 };
    });
  });

  async function stage(
    options: { kit?: Buffer; signature?: Buffer; tenant?: string; request?: Partial<ImportRequest>; keys?: Exporter[] } = {},
  ): Promise<HeldImport> {
    const uploaded = store.put(options.kit ?? bytes);
    const signature = store.put(options.signature ?? (await exporter.sign(bytes, kit.manifest)));
    const request = { kit: uploaded, signature, preflight: false, acceptTrust: false, ...options.request };
    const held = { id: 'job', owner: 'worker', attempt: 1, requestedBy: 'user:alice', source: null };
    const job: HeldImport = { ...held, tenant: options.tenant ?? 'acme', kind: 'import', request };
    const trusted = (options.keys ?? [exporter]).map(({ key }) => key);
    const use = new StageKit(queue, store, records, new TrustedExporters(records, store, trusted), bus);
    store.reads.length = 0;
    await use.execute(job, new KitRun(() => undefined));
    return job;
  }

  it('stages every blob of the kit and hands the publisher a plan that names each', async () => {
    await stage();
    expect(queue.result).toEqual({ outcome: 'imported', added: 2, known: 0 });
    const [request] = asked;
    expect(request).toMatchObject({ tenant: 'acme', kit: { digest: sha256(bytes), size: bytes.length }, acceptTrust: false });
    const plan = JSON.parse((await readWhole(store, request?.plan ?? store.put(Buffer.alloc(0)), 10_000_000)).toString()) as KitPlan;
    expect(plan.manifest).toEqual(kit.manifest);
    expect(plan.blobs.map(({ digest }) => digest)).toEqual(kitBlobs(kit.manifest).map(({ digest }) => digest));
    for (const { digest, objectKey } of plan.blobs) expect(sha256(store.objects.get(objectKey) ?? '')).toBe(digest);
  });

  it('reports what is new, known and conflicting', async () => {
    const [first, second] = kit.manifest.versions;
    records.known = [
      { packId: 'acme.hello', version: '1.0.0', manifestDigest: first?.manifest.digest ?? sha256('') },
      { packId: 'acme.other', version: '1.0.0', manifestDigest: sha256('other content') },
    ];
    await expect(stage()).rejects.toMatchObject({ code: 'ERR_KIT_CONFLICT', errors: [{ field: 'acme.other@1.0.0' }] });
    expect(queue.reported).toMatchObject({
      generation: 7,
      source: { tenant: 'acme', log: KIT_LOG },
      exporter: { name: 'hq' },
      versions: { total: 2, new: 0, known: 1, conflicting: 1 },
      conflicting: [{ packId: second?.packId, version: '1.0.0' }],
      outcome: 'conflict',
    });
    expect(asked).toEqual([]);
  });

  it('stores nothing for a preflight', async () => {
    const before = store.objects.size;
    await stage({ request: { preflight: true } });
    expect([queue.result?.outcome, queue.reported?.outcome, queue.rows.size]).toEqual(['preflight', 'import', 0]);
    expect(store.objects.size).toBe(before + 2);
  });

  it('reads nothing of the kit of a stranger', async () => {
    const stranger = await anExporter('stranger');
    await expect(stage({ signature: await stranger.sign(bytes, kit.manifest) })).rejects.toMatchObject({ code: 'ERR_KIT_SIGNER' });
    expect(store.reads).toHaveLength(1);
  });

  it('keeps nothing of a kit that is not the one that was signed, and says what became of it', async () => {
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8(damaged.readUInt8(700) ^ 1, 700);
    await expect(stage({ kit: damaged })).rejects.toMatchObject({ code: 'ERR_KIT_DIGEST' });
    await expect(stage({ kit: bytes.subarray(0, -1024) })).rejects.toMatchObject({ code: 'ERR_KIT_TRUNCATED' });
    const other = await aKit({ packs: [{ packId: 'acme.third' }] });
    await expect(stage({ kit: await other.bytes() })).rejects.toMatchObject({ code: 'ERR_KIT_DIGEST' });
    expect(queue.rows.size).toBe(0);
  });

  it('refuses a kit of another tenant', async () => {
    await expect(stage({ tenant: 'globex' })).rejects.toMatchObject({ code: 'ERR_KIT_TENANT' });
    expect(asked).toEqual([]);
  });

  it('refuses an older generation, and does nothing for this very kit', async () => {
    records.earlier = { newest: 8, isImported: true };
    await expect(stage()).rejects.toMatchObject({ code: 'ERR_KIT_STALE', details: { generation: 7, newestImported: 8 } });
    records.earlier = { newest: 7, isImported: true };
    await stage();
    expect([queue.result, asked]).toEqual([{ outcome: 'unchanged', added: 0, known: 0 }, []]);
  });

  it('writes nothing twice that an earlier attempt has staged', async () => {
    bus.answer(ImportKit, () => {
      throw new Error('the publisher is gone');
    });
    await expect(stage()).rejects.toThrow('gone');
    const [staged, objects] = [queue.rows.size, store.objects.size];
    await expect(stage()).rejects.toThrow('gone');
    expect([queue.rows.size, store.objects.size]).toEqual([staged, objects + 2]);
  });

  it('leaves no object behind that nobody would find, when the job is lost', async () => {
    queue.lost = true;
    const before = store.objects.size;
    await expect(stage()).rejects.toBeInstanceOf(LeaseLost);
    expect(store.objects.size).toBe(before + 2);
  });
});
