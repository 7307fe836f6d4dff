import { DataSource } from 'typeorm';
import { migrate } from '../migrate';
import { SpecDatabase } from '../persistence.fixture';
import { LOGIN_ROLES, loginRoleOf } from '../roles';

const DIGEST = (n: number) => `sha256:${String(n).repeat(64)}`;
const EVENT = (tenant: string, epoch: number) => JSON.stringify({ data: { tenant, epoch, digest: DIGEST(epoch) } });

/** Back to before the migration, with what earlier publishers had written. */
const BEFORE = `
drop trigger trust_epochs_on_insert on registry.tenants;
drop trigger trust_epochs_on_update on registry.tenants;
drop function registry.keep_trust_epoch();
drop table registry.trust_epochs;
drop table registry.verdict_evidence;
drop policy audit on registry.verdicts;
alter table registry.verdicts drop column question;
delete from migrate.applied where name = 'VerdictQuestions1700000000021';
insert into content.blobs (digest, size, object_key, block_checksums)
  select d, 1, d, '' from unnest(array['${DIGEST(1)}', '${DIGEST(2)}', '${DIGEST(3)}']) as t(d);
insert into registry.tenants (tenant, trust_epoch, trust_digest) values ('acme', 2, '${DIGEST(2)}'), ('globex', 3, '${DIGEST(3)}'), ('new', 0, null);
insert into registry.outbox (event_id, tenant, subject, payload) values
  ('evt_1', 'acme', 'registry.trust.updated', convert_to('${EVENT('acme', 1)}', 'UTF8')),
  ('evt_2', 'acme', 'registry.trust.updated', convert_to('${EVENT('acme', 2)}', 'UTF8')),
  ('evt_3', 'acme', 'pack.version.published', ''),
  ('evt_4', 'acme', 'registry.trust.updated', convert_to('${EVENT('acme', 9)}', 'UTF8'));
insert into registry.verdicts (tenant, hash, document) values ('acme', 'old', '{}');`;

describe('the migration to verdicts with questions', () => {
  let db: SpecDatabase;
  beforeAll(async () => {
    db = await SpecDatabase.open('blank');
  });
  afterAll(() => db.close());

  it('takes the trust material of earlier epochs from the record of events, and leaves old verdicts without a question', async () => {
    const logins = Object.entries(LOGIN_ROLES).map(([process, role]) =>
      loginRoleOf(db.database.urlOf(process as keyof typeof LOGIN_ROLES), role),
    );
    await migrate(db.database.adminUrl, logins);
    const admin = await new DataSource({ type: 'postgres', url: db.database.adminUrl, poolSize: 1 }).initialize();
    try {
      await admin.query(BEFORE);
      expect((await migrate(db.database.adminUrl, logins)).applied).toEqual(['VerdictQuestions1700000000021']);
      const epochs: unknown = await admin.query(`select tenant, epoch, digest from registry.trust_epochs order by tenant, epoch`);
      // Epoch 9 named bytes that nobody has.
      expect(epochs).toEqual([
        { tenant: 'acme', epoch: '1', digest: DIGEST(1) },
        { tenant: 'acme', epoch: '2', digest: DIGEST(2) },
        { tenant: 'globex', epoch: '3', digest: DIGEST(3) },
      ]);
      expect(await admin.query(`select hash, question from registry.verdicts`)).toEqual([{ hash: 'old', question: null }]);
      const forced: unknown = await admin.query(
        `select bool_and(relforcerowsecurity) as forced from pg_class where relname in ('tenants', 'outbox', 'verdicts', 'trust_epochs', 'verdict_evidence')`,
      );
      expect(forced).toEqual([{ forced: true }]);
    } finally {
      await admin.destroy();
    }
  });
});
