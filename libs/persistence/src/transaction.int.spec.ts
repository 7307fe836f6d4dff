import { sha256 } from '@packs/domain';
import { SpecDatabase } from './persistence.fixture';
import { inTransaction, type Sql } from './transaction';

const ADD = `insert into registry.packs (tenant, pack_id, type) values ('acme', $1, $2)`;

describe('statements of a transaction that nobody waits for', () => {
  let db: SpecDatabase;
  let pool: Awaited<ReturnType<SpecDatabase['as']>>;
  beforeAll(async () => {
    db = await SpecDatabase.open();
    pool = await db.as('publisher', 1);
  });
  afterAll(() => db.close());

  const run = <T>(work: (sql: Sql) => Promise<T>): Promise<T> => inTransaction(pool, 'acme', work);
  const packs = async () =>
    (await run(sql => sql.query<{ pack_id: string }>('select pack_id from registry.packs order by pack_id'))).map(row => row.pack_id);

  it('are carried out in the order in which they were given, before those behind them', async () => {
    const seen = await run(async sql => {
      sql.send(ADD, ['a.first', 'task']);
      sql.send(`update registry.packs set created_at = now() where pack_id = 'a.first'`);
      sql.send(ADD, ['a.second', 'task']);
      return sql.query('select 1 from registry.packs');
    });
    expect(seen).toHaveLength(2);
    expect(await packs()).toEqual(['a.first', 'a.second']);
  });

  it('end the transaction with their own error, though nothing comes behind them', async () => {
    const failing = run(async sql => {
      sql.send(ADD, ['b.good', 'task']);
      sql.send(ADD, ['b.bad', 'no such type']);
      return 'done';
    });
    await expect(failing).rejects.toMatchObject({ code: '23514' });
    expect(await packs()).not.toContain('b.good');
  });

  it('end it with the error of the first of them, not with those it causes', async () => {
    const failing = run(async sql => {
      sql.send(ADD, ['c.bad', 'no such type']);
      sql.send(ADD, ['c.good', 'task']);
      return sql.query('select 1 from registry.packs');
    });
    await expect(failing).rejects.toMatchObject({ code: '23514' });
    expect(await packs()).not.toContain('c.good');
  });

  it('commit nothing when the work fails before anybody heard of them', async () => {
    const failing = run(async sql => {
      sql.send(ADD, ['d.good', 'task']);
      throw new Error('after it was sent');
    });
    await expect(failing).rejects.toThrow('after it was sent');
    expect(await packs()).not.toContain('d.good');
  });

  it('are as good as repeated statements: one text is prepared once, however often it is on its way', async () => {
    const many = Array.from({ length: 20 }, (_, at) => `e.${sha256(String(at)).slice(-8)}`);
    await run(async sql => many.forEach(name => sql.send(ADD, [name, 'task'])));
    expect((await packs()).filter(name => name.startsWith('e.'))).toEqual(many.toSorted());
  });
});
