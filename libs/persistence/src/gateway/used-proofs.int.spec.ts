import { SpecDatabase } from '../persistence.fixture';
import { PostgresUsedProofs } from './used-proofs';

describe('PostgresUsedProofs', () => {
  let db: SpecDatabase;
  beforeAll(async () => {
    db = await SpecDatabase.open();
  });
  afterAll(() => db.close());
  const replica = async () => new PostgresUsedProofs(await db.as('api-gateway'));
  const kept = async (): Promise<string[]> => {
    const { rows } = await (await db.client()).query<{ id: string }>('select id from gateway.dpop_proofs order by id');
    return rows.map(row => row.id);
  };

  it('knows a proof that another replica took', async () => {
    const [one, other] = [await replica(), await replica()];
    expect(await one.use('first')).toBe(true);
    expect(await other.use('first')).toBe(false);
    expect(await one.use('first')).toBe(false);
    expect(await other.use('second')).toBe(true);
  });

  it('takes one of many uses at the same time', async () => {
    const [one, other] = [await replica(), await replica()];
    const uses = await Promise.all(Array.from({ length: 12 }, (_, at) => (at % 2 === 0 ? one : other).use('raced')));
    expect(uses.filter(Boolean)).toHaveLength(1);
  });

  it('forgets what is long out of date, and nothing that could still be good', async () => {
    const admin = await db.client();
    await admin.query(
      `insert into gateway.dpop_proofs (id, used_at) values ('old', now() - interval '11 minutes'), ('young', now() - interval '9 minutes')`,
    );
    const one = await replica();
    await one.use('new');
    expect(await kept()).toContain('old');
    expect(await one.sweep()).toBe(1);
    expect(await kept()).not.toContain('old');
    expect(await kept()).toEqual(expect.arrayContaining(['young', 'new']));
  });
});
