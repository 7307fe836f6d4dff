import { verdictHash, type Digest, type Verdict } from '@packs/domain';
import type { DataSource } from 'typeorm';
import { AT, publish, rotate, setUpTrust, SpecDatabase, unitOfWorkOn } from '../persistence.fixture';
import { PostgresEvidenceReadModel } from './evidence-read-model';

describe('PostgresEvidenceReadModel', () => {
  let db: SpecDatabase;
  let publisher: DataSource;
  let evidence: PostgresEvidenceReadModel;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    publisher = await db.as('publisher');
    evidence = new PostgresEvidenceReadModel(await db.as('api-gateway'));
    await setUpTrust(publisher, 'acme');
  });
  afterAll(() => db.close());

  const hashes = async (packId: string): Promise<Digest[]> =>
    (await evidence.verdicts('acme', packId, '1.0.0', 10)).map(({ hash }) => hash).toSorted();

  it('has the verdicts by which signatures came in the place of others', async () => {
    const { version } = await publish(publisher, { packId: 'acme.rotated' });
    const verdict = { ...version.verdict, evaluatedAt: '2026-02-01T00:00:00.000Z' };
    const later = verdictHash(verdict);
    await rotate(publisher, { ...version, verdict, verdictHash: later });
    expect(await hashes('acme.rotated')).toEqual([version.verdictHash, later].toSorted());
  });

  it('has the verdict that a version is withdrawn by', async () => {
    const { version } = await publish(publisher, { packId: 'acme.withdrawn' });
    const verdict: Verdict = { ...version.verdict, outcome: 'rejected', evaluatedAt: '2026-02-02T00:00:00.000Z' };
    const rejected = verdictHash(verdict);
    await unitOfWorkOn(publisher).run('acme', async tx => {
      await tx.packs.addVerdict('acme', verdict, rejected, version.question);
      const key = { tenant: 'acme', packId: 'acme.withdrawn', version: '1.0.0' };
      await tx.standings.withdraw(key, { at: AT, epoch: 2, reasons: ['ERR_PACK_SIGNATURE_UNTRUSTED'], verdictHash: rejected });
    });
    expect(await hashes('acme.withdrawn')).toEqual([version.verdictHash, rejected].toSorted());
  });
});
