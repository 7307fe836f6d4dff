import type { PackStore } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { PostgresContentCatalog } from '../content-catalog';
import { aStoredBlob, AT, aVersion, publish, SpecDatabase, unitOfWorkOn, QUESTION } from '../persistence.fixture';

describe('PostgresPackStore', () => {
  let db: SpecDatabase;
  let publisher: DataSource;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    publisher = await db.as('publisher', 8);
  });
  afterAll(() => db.close());
  const inPacks = <T>(work: (packs: PackStore) => Promise<T>, tenant = 'acme') => unitOfWorkOn(publisher).run(tenant, tx => work(tx.packs));
  const headOf = async (packId: string, channel: string): Promise<unknown> => {
    const { rows } = await (
      await db.client()
    ).query<{ version: string }>(`select version from registry.channel_heads where tenant = 'acme' and pack_id = $1 and channel = $2`, [
      packId,
      channel,
    ]);
    return rows[0]?.version;
  };

  it('keeps a version with its artifact, signatures and verdict', async () => {
    const { version, channelMoved } = await publish(publisher, { packId: 'kept', version: '1.0.0-rc.1+linux', signatures: ['one', 'two'] });
    expect(channelMoved).toBe(true);
    expect(await inPacks(packs => packs.findVersion('acme', 'kept', '1.0.0-rc.1+linux'))).toEqual({
      packId: 'kept',
      version: '1.0.0-rc.1+linux',
      digest: version.bundle.digest,
      manifestDigest: version.ociManifest.digest,
      size: version.bundle.size,
      channel: 'edge',
      verdictHash: version.verdictHash,
      type: 'task',
      deprecatedAt: null,
      archivedAt: null,
      replacement: null,
      config: version.config.digest,
      signatures: version.signatures.map(one => one.blob.digest).toSorted(),
    });
    const { rows } = await (
      await db.client()
    ).query<{ manifest: string; subject: string | null; blobs: string[] }>(
      `select m.digest as manifest, m.subject, array_agg(b.blob_digest order by b.blob_digest) as blobs
       from registry.manifests m join registry.manifest_blobs b on b.manifest_digest = m.digest where m.repository = 'kept' group by 1, 2`,
    );
    expect(rows).toHaveLength(3);
    expect(rows).toContainEqual({
      manifest: version.ociManifest.digest,
      subject: null,
      blobs: [version.bundle.digest, version.config.digest].toSorted(),
    });
    for (const { manifest, blob } of version.signatures) {
      expect(rows).toContainEqual({ manifest: manifest.digest, subject: version.ociManifest.digest, blobs: [blob.digest] });
    }
  });

  it('finds a version by its precedence: build metadata makes no other', async () => {
    await publish(publisher, { packId: 'built', version: '1.0.0+a' });
    for (const asked of ['1.0.0', '1.0.0+a', '1.0.0+b.7']) {
      expect((await inPacks(packs => packs.findVersion('acme', 'built', asked)))?.version).toBe('1.0.0+a');
    }
    for (const asked of ['1.0.0-a', '1.0.1']) expect(await inPacks(packs => packs.findVersion('acme', 'built', asked))).toBeUndefined();
    expect(await inPacks(packs => packs.findVersion('globex', 'built', '1.0.0'), 'globex')).toBeUndefined();
  });

  it('itself refuses a second version that differs in build metadata alone', async () => {
    await publish(publisher, { packId: 'twice', version: '1.0.0+a' });
    await expect(publish(publisher, { packId: 'twice', version: '1.0.0+b' })).rejects.toMatchObject({ code: '23505' });
    await expect(publish(publisher, { packId: 'twice', version: '1.0.0+a' })).rejects.toMatchObject({ code: '23505' });
  });

  it('moves a channel forward and never back, whatever the order of publishing', async () => {
    const moves: [string, string, boolean][] = [
      ['1.9.0', 'edge', true],
      ['1.10.0-rc.1', 'edge', true],
      ['1.2.0', 'edge', false],
      ['1.10.0-rc.0', 'edge', false],
      ['1.10.0', 'edge', true],
      ['1.9.1', 'stable', true],
      ['2.0.0-alpha', 'edge', true],
      ['1.11.0', 'edge', false],
    ];
    for (const [version, channel, moved] of moves) {
      expect([version, (await publish(publisher, { packId: 'moving', version, channel })).channelMoved]).toEqual([version, moved]);
    }
    expect([await headOf('moving', 'edge'), await headOf('moving', 'stable')]).toEqual(['2.0.0-alpha', '1.9.1']);
  });

  it('keeps the type of a pack that is there', async () => {
    expect(await inPacks(packs => packs.lockPack('acme', 'typed', 'policy'))).toBe('policy');
    expect(await inPacks(packs => packs.lockPack('acme', 'typed', 'task'))).toBe('policy');
    expect(await inPacks(packs => packs.lockPack('globex', 'typed', 'task'), 'globex')).toBe('task');
  });

  it('lets one writer of a pack in at a time, and writers of others beside it', async () => {
    const order: string[] = [];
    let release = (): void => undefined;
    const held = new Promise<void>(resolve => (release = resolve));
    const locked = new Promise<void>(resolve => {
      void inPacks(async packs => {
        await packs.lockPack('acme', 'busy', 'task');
        resolve();
        await held;
        order.push('first');
      });
    });
    await locked;
    const second = inPacks(async packs => {
      await packs.lockPack('acme', 'busy', 'task');
      order.push('second');
    });
    await inPacks(packs => packs.lockPack('acme', 'idle', 'task'));
    order.push('other pack');
    release();
    await second;
    expect(order).toEqual(['other pack', 'first', 'second']);
  });

  it('names for each pack the versions that are not deprecated, in the tenant’s own namespace', async () => {
    for (const version of ['1.0.0', '1.1.0', '2.0.0-rc.1']) await publish(publisher, { packId: 'needed', version });
    await publish(publisher, { tenant: 'globex', packId: 'foreign', tenantVisibility: ['*'] });
    await inPacks(packs => packs.deprecate('acme', 'needed', '1.1.0', { at: AT, actor: 'user:bob', reason: 'old', replacement: null }));
    const found = await inPacks(packs => packs.versionsOf('acme', ['needed', 'foreign', 'absent']));
    expect([...found.keys()]).toEqual(['needed']);
    expect(found.get('needed')?.toSorted()).toEqual(['1.0.0', '2.0.0-rc.1']);
    expect((await inPacks(packs => packs.versionsOf('acme', []))).size).toBe(0);
  });

  it('remembers when a version was deprecated', async () => {
    await publish(publisher, { packId: 'old' });
    await inPacks(packs => packs.deprecate('acme', 'old', '1.0.0', { at: AT, actor: 'user:bob', reason: 'old', replacement: 'new' }));
    expect(await inPacks(packs => packs.findVersion('acme', 'old', '1.0.0'))).toMatchObject({ deprecatedAt: AT });
  });

  it('holds the bytes of what a verdict looked at, also where the version does not have it', async () => {
    const { version } = await publish(publisher, { packId: 'looked-at', besides: ['forged'] });
    const admin = await db.client();
    for (const digest of version.verdict.evidence) {
      await expect(admin.query(`delete from content.blobs where digest = $1`, [digest])).rejects.toMatchObject({
        code: expect.stringMatching(/^23[05]0[13]$/) as string,
      });
    }
    const { rows } = await admin.query(`select digest from registry.verdict_evidence where verdict_hash = $1`, [version.verdictHash]);
    expect(rows).toEqual([{ digest: version.verdict.evidence.at(-1) }]);
  });

  it('keeps a verdict once', async () => {
    const { verdict, verdictHash } = aVersion({ packId: 'judged' });
    for (let at = 0; at < 2; at++) await inPacks(packs => packs.addVerdict('acme', verdict, verdictHash, QUESTION));
    const { rows } = await (await db.client()).query(`select document, question from registry.verdicts where hash = $1`, [verdictHash]);
    expect(rows).toEqual([{ document: verdict, question: QUESTION }]);
  });

  it('refuses a version whose bytes nobody recorded', async () => {
    const { blobs, ...version } = aVersion({ packId: 'unproven' });
    const adding = inPacks(async packs => {
      await packs.lockPack('acme', 'unproven', 'task');
      await packs.addVersion({ ...version, blobs: blobs.filter(blob => blob.digest !== version.bundle.digest) });
    });
    await expect(adding).rejects.toMatchObject({ code: '23503' });
    expect(await inPacks(packs => packs.findVersion('acme', 'unproven', '1.0.0'))).toBeUndefined();
  });
});

describe('PostgresContentCatalog', () => {
  let db: SpecDatabase;
  let catalog: PostgresContentCatalog;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    catalog = new PostgresContentCatalog(await db.as('api-gateway', 8));
  });
  afterAll(() => db.close());

  it('records blobs and answers in their order', async () => {
    const blobs = ['c', 'a', 'b'].map(aStoredBlob);
    expect(await catalog.record(blobs)).toEqual(blobs);
    expect(await catalog.record([])).toEqual([]);
  });

  it('keeps the record that came first', async () => {
    const first = aStoredBlob('same');
    const second = { ...aStoredBlob('same'), blockChecksums: 'BBBBBB==' };
    expect(await catalog.record([first])).toEqual([first]);
    expect(await catalog.record([second, second])).toEqual([first, first]);
  });

  it('agrees on one record among many writers of the same digests in any order', async () => {
    const texts = ['one', 'two', 'three', 'four'];
    const answers = await Promise.all(
      Array.from({ length: 12 }, async (_, at) => {
        const order = at % 2 ? texts : texts.toReversed();
        return (await catalog.record(order.map(aStoredBlob))).toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
      }),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });
});
