import type { Problem, PublishAnswer } from '@packs/contracts';
import { eventually } from '@packs/testing';
import type { Answer, Caller } from './caller';
import { waitsForLock, whileLocked } from './database-lock';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { unsettled } from './nats-admin';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const key = new SigningKey('release', 'ed25519');
let registry: Registry;
let tenant: Caller;

beforeAll(async () => {
  registry = await Registry.shared();
});

beforeEach(async () => {
  tenant = await registry.caller();
  await tenant.accept(key);
  await audited(2);
});

type Outcome = Answer<PublishAnswer & Problem> | { readonly status: 'no answer' };

/** The same request each time: same bytes, same signature, same key. */
function publish(bundle: Bundle, signal?: AbortSignal): Promise<Outcome> {
  const headers = { 'idempotency-key': `of-${bundle.packId}` };
  return tenant.publish(bundle, { signatures: [key.sigstore(bundle.bytes)], headers, signal }).catch(() => ({ status: 'no answer' }));
}

async function audited(count: number): Promise<void> {
  await eventually(
    async () => expect((await tenant.audit()).map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, at) => at + 1)),
    30_000,
  );
}

async function expectAbsent({ packId }: Bundle): Promise<void> {
  const paths = ['', '/versions', '/versions/1.0.0', '/versions/1.0.0/bundle', '/versions/1.0.0/signatures', '/events'];
  for (const path of paths) expect([path, (await tenant.get(`/api/packs/${packId}${path}`)).status]).toEqual([path, 404]);
  const rows = await registry.sql(
    `select tenant from registry.packs where tenant = $1 union all select tenant from registry.pack_versions where tenant = $1
     union all select tenant from registry.manifests where tenant = $1`,
    [tenant.tenant],
  );
  expect(rows).toEqual([]);
}

/** Published once, whatever it took: the version with its bytes, one event, one entry. */
async function expectPublishedOnce(bundle: Bundle, answer: Outcome): Promise<void> {
  const found = await tenant.version(bundle.packId, '1.0.0');
  expect([answer.status, found.status, found.body.digest]).toEqual([201, 200, bundle.digest]);
  if ('body' in answer) expect(answer.body).toMatchObject({ manifestDigest: found.body.manifestDigest, verdict: found.body.verdict.hash });
  expect((await tenant.bundle(bundle.packId, '1.0.0')).bytes.equals(bundle.bytes)).toBe(true);
  await audited(3);
  const events = await registry.sql('select 1 from registry.outbox where tenant = $1 and subject = $2', [
    tenant.tenant,
    'pack.version.published',
  ]);
  expect(events).toHaveLength(1);
}

describe('the publisher is killed', () => {
  const BEFORE_TRANSACTION = 'select 1 from registry.tenants where tenant = $1 for update';

  /** Nothing of it is there afterwards, and there is a publisher again. */
  async function killedAt(
    bundle: Bundle,
    statement: string,
    values: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ pending: Promise<Outcome> }> {
    const publisher = registry.part('publisher');
    const request = await whileLocked(registry, statement, values, async () => {
      const pending = publish(bundle, signal);
      await waitsForLock(registry, 'publisher');
      await publisher.kill('SIGKILL');
      return { pending };
    });
    await eventually(() => expectAbsent(bundle));
    await publisher.start();
    return request;
  }

  it('between the verdict and its transaction: the gateway asks the next publisher by itself', async () => {
    const bundle = aBundle(aManifest('asked-again'));
    const { pending } = await killedAt(bundle, BEFORE_TRANSACTION, [tenant.tenant]);
    await expectPublishedOnce(bundle, await pending);
  });

  it.each([
    ['between the verdict and its transaction', BEFORE_TRANSACTION, true],
    ['in its transaction, after the version’s rows', 'lock table registry.channel_heads in share mode', false],
    ['in its transaction, before the last row', 'lock table registry.idempotency_keys in share mode', false],
  ])('%s: nothing is visible, and a client that asks again is answered at once', async (point, statement, named) => {
    const bundle = aBundle(aManifest('at-a-point'), [{ path: 'point', content: point }]);
    const impatience = new AbortController();
    const { pending } = await killedAt(bundle, statement, named ? [tenant.tenant] : [], impatience.signal);
    impatience.abort();
    expect((await pending).status).toBe('no answer');
    const answer = await publish(bundle);
    await expectPublishedOnce(bundle, answer);
    expect(await publish(bundle)).toMatchObject({ status: 201, body: 'body' in answer ? answer.body : {} });
  });

  it('while the verifier has the bundle in its hands', async () => {
    const [publisher, verifier] = [registry.part('publisher'), registry.part('verifier')];
    const bundle = aBundle(aManifest('unverified'));
    const impatience = new AbortController();
    await verifier.kill('SIGSTOP');
    const pending = publish(bundle, impatience.signal);
    try {
      // Once the bytes are on record they are the publisher's, which waits for a verdict that does not come.
      await eventually(async () =>
        expect(await registry.sql('select 1 from content.blobs where digest = $1', [bundle.digest])).toHaveLength(1),
      );
      await publisher.kill('SIGKILL');
      await expectAbsent(bundle);
    } finally {
      await verifier.kill('SIGCONT');
      await publisher.start();
    }
    impatience.abort();
    expect((await pending).status).toBe('no answer');
    await expectPublishedOnce(bundle, await publish(bundle));
  });

  it('right after the commit, before its event was sent: it is sent by the next publisher, once', async () => {
    const publisher = registry.part('publisher');
    const bundle = aBundle(aManifest('unsent'));
    // The relay leaves the outbox alone while somebody else has this lock.
    const first = await whileLocked(registry, `select pg_advisory_xact_lock(hashtext('registry.outbox'))`, [], async () => {
      const answer = await publish(bundle);
      expect(answer.status).toBe(201);
      await publisher.kill('SIGKILL');
      expect(await tenant.audit()).toHaveLength(2);
      return answer;
    });
    await publisher.start();
    await expectPublishedOnce(bundle, first);
  });

  it('after its event was sent, before that was noted: it is sent again and has one effect', async () => {
    const publisher = registry.part('publisher');
    const bundle = aBundle(aManifest('sent-twice'));
    const unlock = Promise.withResolvers<void>();
    const relay = whileLocked(registry, `select pg_advisory_xact_lock(hashtext('registry.outbox'))`, [], async () => {
      const answer = await publish(bundle);
      await unlock.promise;
      return answer;
    });
    await eventually(async () => expect((await tenant.version('sent-twice', '1.0.0')).status).toBe(200));
    const first = await whileLocked(registry, 'lock table registry.outbox in share mode', [], async () => {
      unlock.resolve();
      const answer = await relay;
      await audited(3);
      await waitsForLock(registry, 'publisher');
      await publisher.kill('SIGKILL');
      return answer;
    });
    expect(await registry.sql('select 1 from registry.outbox where sent_at is null and tenant = $1', [tenant.tenant])).toHaveLength(1);
    await publisher.start();
    await eventually(async () => expect(await registry.sql('select 1 from registry.outbox where sent_at is null')).toEqual([]));
    await expectPublishedOnce(bundle, first);
  });
});

describe('the gateway is killed', () => {
  it('after the commit, before it could answer: the same request gets the answer that was lost', async () => {
    const gateway = registry.part('api-gateway');
    const bundle = aBundle(aManifest('unanswered'));
    const pending = await whileLocked(
      registry,
      'select 1 from registry.tenants where tenant = $1 for update',
      [tenant.tenant],
      async () => {
        const request = publish(bundle);
        await waitsForLock(registry, 'publisher');
        await gateway.kill('SIGSTOP');
        return { request };
      },
    );
    await eventually(async () => {
      expect(await registry.sql('select 1 from registry.pack_versions where tenant = $1', [tenant.tenant])).toHaveLength(1);
    });
    await gateway.kill('SIGKILL');
    expect((await pending.request).status).toBe('no answer');
    await gateway.start();
    await expectPublishedOnce(bundle, await publish(bundle));
  });
});

describe('nats-server is killed', () => {
  it('with an event in its hands that it never acknowledged: the event is sent again', async () => {
    const nats = registry.part('nats-server');
    const bundle = aBundle(aManifest('unheard'));
    const { pending } = await whileLocked(
      registry,
      'select 1 from registry.tenants where tenant = $1 for update',
      [tenant.tenant],
      async () => {
        const request = publish(bundle);
        await waitsForLock(registry, 'publisher');
        await nats.kill('SIGSTOP');
        return { pending: request };
      },
    );
    const unsent = 'select 1 from registry.outbox where tenant = $1 and sent_at is null';
    await eventually(async () => {
      expect(await registry.sql(unsent, [tenant.tenant])).toHaveLength(1);
      // The relay holds the row while it waits for an acknowledgement that will not come.
      expect(await registry.sql(`${unsent} for update skip locked`, [tenant.tenant])).toEqual([]);
    });
    await nats.kill('SIGKILL');
    await nats.start();
    // The gateway asks a second time by itself, and then leaves it to the client.
    const first = await pending;
    expect([201, 503]).toContain(first.status);
    await expectPublishedOnce(bundle, first.status === 201 ? first : await publish(bundle));
    expect(await registry.sql(unsent, [tenant.tenant])).toEqual([]);
  });
});

describe('compliance', () => {
  /** Blocks the append of the tenant's next event, and runs `fault` while it is blocked. */
  async function publishAndFault(bundle: Bundle, fault: () => Promise<void>): Promise<Outcome> {
    return whileLocked(registry, 'select 1 from compliance.audit_heads where tenant = $1 for update', [tenant.tenant], async () => {
      const published = await publish(bundle);
      await waitsForLock(registry, 'compliance');
      await fault();
      return published;
    });
  }

  async function appendedOnce(who: Caller): Promise<void> {
    const rows = await registry.sql<{ n: number }>(
      'select count(*)::int as n from compliance.inbox i join compliance.audit_log a on a.event_id = i.message_id where a.tenant = $1 and i.consumer = $2',
      [who.tenant, 'compliance-audit'],
    );
    expect([rows[0]?.n, (await who.audit()).map(({ seq }) => seq)]).toEqual([3, [1, 2, 3]]);
  }

  it('killed in the middle of an append, and with its acknowledgement lost: both events come again, and each is appended once', async () => {
    const [nats, compliance] = [registry.part('nats-server'), registry.part('compliance')];
    const first = tenant;
    const unacknowledged = aBundle(aManifest('unacknowledged'));
    const answered = await publishAndFault(unacknowledged, () => nats.kill('SIGSTOP'));
    // Committed, and the acknowledgement is on its way to a server that will not read it any more.
    await audited(3);
    await nats.kill('SIGKILL');
    await nats.start();
    await expectPublishedOnce(unacknowledged, answered);

    const second = (tenant = await registry.caller());
    await tenant.accept(key);
    await audited(2);
    const unappended = aBundle(aManifest('unappended'));
    const answer = await publishAndFault(unappended, () => compliance.kill('SIGKILL'));
    expect(await tenant.audit()).toHaveLength(2);
    await compliance.start();
    await expectPublishedOnce(unappended, answer);

    await eventually(async () => expect(await unsettled(registry)).toBe(0), 30_000);
    for (const who of [first, second]) await appendedOnce(who);
  });
});
