import { randomUUID } from 'node:crypto';
import { BlobQuarantined, BlobRepaired, newEvent, type EventEnvelope } from '@packs/contracts';
import { sha256 } from '@packs/domain';
import { isQuarantined, quarantinedKey, type BlobUse, type StoredBlob } from '@packs/ports';
import type { Client } from 'pg';
import { PostgresContentCatalog } from '../content-catalog';
import { PostgresUploadSessions } from '../gateway/upload-sessions';
import { aStoredBlob, publish, SpecDatabase } from '../persistence.fixture';
import { PostgresBlobRecords } from './blob-records';

const NOW = new Date('2026-02-01T00:00:00Z');
const OPERATORS = 'platform';

const eventOf = (contract: typeof BlobQuarantined | typeof BlobRepaired, { digest, size }: StoredBlob, use: BlobUse, reason: string) => {
  const { tenant, repository, version } = use;
  const origin = {
    packId: version && repository,
    version,
    actor: 'service:x',
    tenant,
    source: null,
    signatures: [],
    metadataHash: sha256(''),
  };
  return newEvent(contract, { ...origin, digest, size, repository, reason }, NOW);
};

describe('records of blobs', () => {
  let db: SpecDatabase;
  let admin: Client;
  let records: PostgresBlobRecords;
  const committed = jest.fn();

  beforeAll(async () => {
    db = await SpecDatabase.open();
    admin = await db.client();
    records = new PostgresBlobRecords(await db.as('publisher'), { committed, traceparent: () => null }, OPERATORS);
  });
  afterAll(() => db.close());
  beforeEach(() => committed.mockClear());

  const quarantine = (blob: StoredBlob, reason: string) =>
    records.quarantine(blob, { reason, at: NOW }, use => eventOf(BlobQuarantined, blob, use, reason));
  const replace = (blob: StoredBlob) => records.replace(blob, (use, reason) => eventOf(BlobRepaired, blob, use, reason));
  const record = async (blob: StoredBlob): Promise<StoredBlob> => {
    await new PostgresContentCatalog(await db.as('api-gateway', 1)).record([blob]);
    return blob;
  };
  const events = async (type: string): Promise<EventEnvelope['data'][]> => {
    const { rows } = await admin.query<{ payload: Buffer }>('select payload from registry.outbox where subject = $1 order by id', [type]);
    return rows.map(row => (JSON.parse(row.payload.toString()) as EventEnvelope).data);
  };
  const told = async (type: string, { digest }: StoredBlob) => (await events(type)).filter(data => data['digest'] === digest);

  it('puts a blob out of reach once, and tells each tenant that has it what it is there', async () => {
    const { version } = await publish(await db.as('publisher'), { tenant: 'acme', packId: 'acme.rotten' });
    const bundle = version.blobs.find(({ digest }) => digest === version.bundle.digest) ?? (await records.find(version.bundle.digest));
    if (!bundle) throw new Error('the bundle is on no record');
    const sessions = new PostgresUploadSessions(await db.as('api-gateway'));
    await sessions.link({ namespace: 'globex', repository: 'team/app' }, 'user:eve', bundle);

    expect(await quarantine(bundle, 'altered')).toBe(true);
    expect(await quarantine(bundle, 'altered')).toBe(false);
    expect(committed).toHaveBeenCalledTimes(1);
    expect(await records.find(bundle.digest)).toEqual({ ...bundle, objectKey: quarantinedKey(bundle.objectKey) });
    const seen = await told('registry.blob.quarantined', bundle);
    expect(seen).toMatchObject([
      { tenant: 'acme', packId: 'acme.rotten', version: version.manifest.metadata.version, repository: 'acme.rotten', reason: 'altered' },
      { tenant: 'globex', packId: null, version: null, repository: 'team/app' },
    ]);
    // Nothing of the other tenant's.
    expect(JSON.stringify(seen[1])).not.toContain('acme');
  });

  it('leaves a blob alone whose object is another by now', async () => {
    const blob = await record(aStoredBlob('moved on'));
    expect(await quarantine({ ...blob, objectKey: 'earlier' }, 'altered')).toBe(false);
    expect(await records.find(blob.digest)).toEqual(blob);
    expect(await told('registry.blob.quarantined', blob)).toEqual([]);
  });

  it('tells the operators of a blob that is nobody’s', async () => {
    const blob = await record(aStoredBlob('nobody’s'));
    await quarantine(blob, 'missing');
    expect(await told('registry.blob.quarantined', blob)).toMatchObject([{ tenant: OPERATORS, repository: null }]);
  });

  it('puts whole bytes in the place of damaged ones, and of no others', async () => {
    const blob = await record(aStoredBlob('healed'));
    const copy = { ...blob, objectKey: randomUUID(), blockChecksums: 'AAAAAQ==' };
    expect(await replace(copy)).toBeUndefined();
    expect(await records.find(blob.digest)).toEqual(blob);
    await quarantine(blob, 'altered');
    expect(await replace(copy)).toBe(quarantinedKey(blob.objectKey));
    expect(await replace({ ...copy, objectKey: randomUUID() })).toBeUndefined();
    expect(await records.find(blob.digest)).toEqual(copy);
    expect(await told('registry.blob.repaired', blob)).toMatchObject([{ tenant: OPERATORS, reason: 'altered' }]);
    const { rows } = await admin.query('select quarantined_at, quarantine_reason from content.blobs where digest = $1', [blob.digest]);
    expect(rows).toEqual([{ quarantined_at: null, quarantine_reason: null }]);
  });

  it('lets one of many that replace or quarantine the same blob do it', async () => {
    const blob = await record(aStoredBlob('contended'));
    const isolated = await Promise.all(Array.from({ length: 8 }, () => quarantine(blob, 'altered')));
    expect(isolated.filter(Boolean)).toHaveLength(1);
    const replaced = await Promise.all(Array.from({ length: 8 }, () => replace({ ...blob, objectKey: randomUUID() })));
    expect(replaced.filter(key => key !== undefined)).toHaveLength(1);
    expect(await told('registry.blob.quarantined', blob)).toHaveLength(1);
    expect(await told('registry.blob.repaired', blob)).toHaveLength(1);
  });

  it('shows everybody who records the same bytes again that they lie in quarantine', async () => {
    const blob = await record(aStoredBlob('again'));
    await quarantine(blob, 'altered');
    const again = { ...blob, objectKey: randomUUID() };
    const [found] = await new PostgresContentCatalog(await db.as('api-gateway', 1)).record([again]);
    expect(found && isQuarantined(found)).toBe(true);
    const linked = await new PostgresUploadSessions(await db.as('api-gateway')).link(
      { namespace: 'acme', repository: 'app' },
      'user:a',
      again,
    );
    expect(isQuarantined(linked)).toBe(true);
  });
});
