import { PostgresReverificationQueue } from '@packs/persistence';
import type { HeldReverification } from '@packs/ports';
import type { Logger } from '@packs/observability';
import { DomainError } from '@packs/domain';
import { eventually } from '@packs/testing';
import { JudgingPublisher } from '../judging-publisher.fixture';
import { SettleVersion } from '../settle-version/settle-version';
import { WorkReverification } from './work-reverification';

const LEASE_MS = 60_000;
const logger = { info: () => undefined, warn: () => undefined, error: () => undefined } as unknown as Logger;

describe('WorkReverification', () => {
  let publisher: JudgingPublisher;
  let queue: PostgresReverificationQueue;
  beforeAll(async () => {
    publisher = await JudgingPublisher.open();
    queue = new PostgresReverificationQueue(publisher.dataSource);
  });
  afterAll(() => publisher.close());
  beforeEach(async () => {
    await publisher.database.empty();
    publisher.anew();
    await publisher.policy();
  });

  const worker = (
    settle: Pick<SettleVersion, 'execute'> = new SettleVersion(publisher.unitOfWork, publisher.commands, publisher.clock),
  ) => {
    const epochOf = async (tenant: string) => (await publisher.unitOfWork.run(tenant, tx => tx.trust.state(tenant, 'none'))).epoch;
    return new WorkReverification(queue, settle, epochOf, LEASE_MS, logger);
  };
  async function claim(owner = 'me'): Promise<HeldReverification> {
    const held = await queue.claim(owner, LEASE_MS);
    if (!held) throw new Error('no pass is waiting');
    return held;
  }
  const pass = async () => {
    const [row] = await publisher.rows<object>(
      `select state, cause, epoch::int as epoch, examined::int as examined, withdrawn::int as withdrawn, restored::int as restored,
         failed::int as failed from registry.reverifications`,
    );
    return row;
  };
  const publishMany = async (n: number) => {
    for (let at = 0; at < n; at++) await publisher.publish({ version: `1.${at}.0` });
  };
  const withdrawn = async () => (await publisher.events('pack.version.withdrawn')).map(({ data }) => data.version);

  it('follows a change of keys by itself, and withdraws all that they no longer vouch for', async () => {
    await publishMany(3);
    expect(await queue.claim('me', LEASE_MS)).toBeUndefined();
    publisher.trusted.delete('release');
    await publisher.raiseEpoch(1);
    await worker().execute(await claim());
    expect(await pass()).toEqual({ state: 'completed', cause: 'trust', epoch: 1, examined: 3, withdrawn: 3, restored: 0, failed: 0 });
    expect((await withdrawn()).toSorted()).toEqual(['1.0.0', '1.1.0', '1.2.0']);
    publisher.trusted.add('release');
    await publisher.raiseEpoch(2);
    await worker().execute(await claim());
    expect(await pass()).toMatchObject({ epoch: 2, examined: 3, restored: 3 });
  });

  it('goes on where a worker that was killed had come to, and tells each change once', async () => {
    await publishMany(16);
    publisher.trusted.delete('release');
    await publisher.raiseEpoch(1);
    let left = 10;
    const settle = new SettleVersion(publisher.unitOfWork, publisher.commands, publisher.clock);
    const dying = {
      execute: (...key: Parameters<SettleVersion['execute']>) =>
        left-- > 0 ? settle.execute(...key) : new Promise<never>(() => undefined),
    };
    const killed = worker(dying);
    const work = killed.execute(await claim('killed'));
    // Four by four: of those that were settled last the pass does not know.
    const reached = await eventually(async () => {
      const rows = await publisher.rows<{ packId: string; version: string; examined: string }>(
        `select pack_id as "packId", version, examined from registry.reverifications`,
      );
      expect(rows).toMatchObject([{ examined: '8' }]);
      return rows[0];
    });
    await publisher.rows(`update registry.reverifications set lease_until = now() - interval '1 second'`);
    const held = await claim('another');
    expect(reached).toMatchObject(held.cursor);
    await worker().execute(held);
    expect(await pass()).toMatchObject({ state: 'completed', examined: 16 });
    expect((await withdrawn()).length).toBe(16);
    expect(new Set(await withdrawn()).size).toBe(16);
    killed.stop();
    await work;
  });

  it('begins anew when keys change while it is under way', async () => {
    await publishMany(6);
    await publisher.raiseEpoch(1);
    let changed = false;
    publisher.meanwhile = async () => {
      if (changed) return;
      changed = true;
      publisher.trusted.delete('release');
      await publisher.raiseEpoch(2);
    };
    await worker().execute(await claim());
    expect(await pass()).toMatchObject({ state: 'queued', epoch: 2, examined: 0 });
    await worker().execute(await claim());
    expect(await pass()).toMatchObject({ state: 'completed', epoch: 2, examined: 6 });
    expect((await withdrawn()).toSorted()).toEqual(['1.0.0', '1.1.0', '1.2.0', '1.3.0', '1.4.0', '1.5.0']);
  });

  it('is worked on by one at a time', async () => {
    await publishMany(1);
    await publisher.raiseEpoch(1);
    await claim('one');
    expect(await queue.claim('other', LEASE_MS)).toBeUndefined();
  });

  it('asks about nothing that came under the keys of today, unless asked to', async () => {
    await publisher.raiseEpoch(1);
    await publishMany(2);
    await worker().execute(await claim());
    expect(publisher.reverified()).toEqual([]);
    expect(await queue.request(publisher.tenant, 'user:root')).toMatchObject({
      state: 'queued',
      cause: 'request',
      requestedBy: 'user:root',
    });
    await worker().execute(await claim());
    expect(publisher.reverified()).toHaveLength(2);
  });

  it('finds by the clock what time alone has changed', async () => {
    await publishMany(1);
    await publisher.raiseEpoch(1);
    await worker().execute(await claim());
    expect(await queue.addDue('service:publisher', { seconds: 3600, afterFailureSeconds: 60 })).toBe(false);
    publisher.trusted.delete('release');
    expect(await queue.addDue('service:publisher', { seconds: -1, afterFailureSeconds: 60 })).toBe(true);
    await worker().execute(await claim());
    expect(await pass()).toMatchObject({ cause: 'schedule', withdrawn: 1 });
    expect(await publisher.rows(`select trust_epoch::int as epoch, withdrawn_epoch::int as against from registry.pack_versions`)).toEqual([
      { epoch: -1, against: 1 },
    ]);
  });

  it('waits for a verifier that is away, and loses nothing by it', async () => {
    await publishMany(2);
    await publisher.raiseEpoch(1);
    const away = { execute: () => Promise.reject(new DomainError('ERR_PACK_UNAVAILABLE', 'nobody answers', { retry: 'later' })) };
    await worker(away).execute(await claim());
    expect(await pass()).toMatchObject({ state: 'running', examined: 0 });
    await publisher.rows(`update registry.reverifications set lease_until = now() - interval '1 second'`);
    const held = await claim();
    expect(held.attempts).toBe(2);
    await worker().execute(held);
    expect(await pass()).toMatchObject({ state: 'completed', examined: 2, failed: 0 });
  });

  it('passes over a version of which no verdict can be had, and comes back to it soon', async () => {
    await publishMany(2);
    await publisher.raiseEpoch(1);
    publisher.damaged = true;
    await worker().execute(await claim());
    expect(await pass()).toMatchObject({ state: 'completed', examined: 2, withdrawn: 0, failed: 2 });
    publisher.damaged = false;
    expect(await queue.addDue('service:publisher', { seconds: 3600, afterFailureSeconds: -1 })).toBe(true);
    // What is accepted is not read again for it.
    expect(await pass()).toMatchObject({ cause: 'trust' });
  });
});
