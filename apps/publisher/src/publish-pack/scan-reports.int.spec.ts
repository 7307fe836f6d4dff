import { sha256, type Digest } from '@packs/domain';
import { createDataSource, PostgresScanReportReadModel, type DataSource } from '@packs/persistence';
import { SpecPublisher } from '../publisher.fixture';
import { UpdateScanning } from '../update-scanning/update-scanning';

const REPORT = '{"schema":"stellaops.io/scan-report.v1"}';
const DIGEST = sha256(REPORT);

describe('a publish whose pack is scanned', () => {
  let publisher: SpecPublisher;
  let gateway: DataSource;
  beforeAll(async () => {
    publisher = await SpecPublisher.open();
    gateway = await createDataSource({ url: publisher.urlOf('api-gateway'), applicationName: 'spec', poolSize: 1 }).initialize();
  });
  beforeEach(() => publisher.reset());
  afterAll(async () => {
    await gateway.destroy();
    await publisher.close();
  });

  const find = (tenant: string, digest: Digest) => new PostgresScanReportReadModel(gateway).find(tenant, digest);

  it('asks for what the tenant chose, and again when that changed meanwhile', async () => {
    const change = new UpdateScanning(publisher.unitOfWork, publisher.clock);
    publisher.duringVerification = async () => {
      publisher.duringVerification = undefined;
      await change.execute({ tenant: 'acme', actor: 'user:root', source: null, settings: { malware: 'required' } });
    };
    expect(await publisher.publish()).toMatchObject({ outcome: 'published' });
    expect(publisher.asked.map(({ scanning }) => scanning)).toEqual([
      { secrets: 'on', malware: 'on' },
      { secrets: 'on', malware: 'required' },
    ]);
  });

  it.each<[string, 'published' | 'rejected']>([
    ['of a version', 'published'],
    ['of what is rejected', 'rejected'],
  ])('holds the report %s, and shows it to the tenant alone', async (_, outcome) => {
    publisher.report = REPORT;
    if (outcome === 'rejected') publisher.fault = { code: 'ERR_PACK_SECRET_FOUND', message: 'found' };
    expect(await publisher.publish()).toMatchObject({ outcome });
    expect(await publisher.rows('select tenant, digest from registry.verdict_evidence')).toEqual([{ tenant: 'acme', digest: DIGEST }]);
    await expect(publisher.rows(`delete from content.blobs where digest = '${DIGEST}'`)).rejects.toThrow(/foreign key|restrict/);
    expect((await publisher.blobs.readBytes((await find('acme', DIGEST)) ?? { digest: DIGEST, size: 0, objectKey: '' })).toString()).toBe(
      REPORT,
    );
    expect(await find('globex', DIGEST)).toBeUndefined();
  });

  it('shows no other blob as a report', async () => {
    publisher.report = REPORT;
    await publisher.publish();
    const { signatures = [] } = publisher.asked[0] ?? {};
    expect(signatures).toHaveLength(1);
    for (const { digest } of [...signatures, ...publisher.asked.map(({ bundle }) => bundle)])
      expect(await find('acme', digest)).toBeUndefined();
  });

  it('keeps one report of many that publish the same at the same time', async () => {
    publisher.report = REPORT;
    const packs = Array.from({ length: 8 }, (_, at) => publisher.publish({ metadata: { packId: `acme.p${at}` } }));
    expect((await Promise.all(packs)).map(({ outcome }) => outcome)).toEqual(Array(8).fill('published'));
    expect(await publisher.rows(`select count(*)::int as n from content.blobs where digest = '${DIGEST}'`)).toEqual([{ n: 1 }]);
    expect(await publisher.rows(`select count(*)::int as n from registry.verdict_evidence where digest = '${DIGEST}'`)).toEqual([{ n: 8 }]);
  });
});
