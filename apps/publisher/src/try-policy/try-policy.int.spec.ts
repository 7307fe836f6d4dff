import type { TryPolicyReply, TryPolicyRequest } from '@packs/contracts';
import type { SigningPolicy } from '@packs/domain';
import { JudgingPublisher } from '../judging-publisher.fixture';
import { PromoteVersion } from '../promote-version/promote-version';
import { TryPolicy } from './try-policy';

const told = ({ changes }: Pick<TryPolicyReply, 'changes'>) =>
  changes.map(({ packId, version, channel, now, then }) => {
    const side = ({ outcome, policy, reason }: typeof now) => `${outcome} ${policy} ${reason}`;
    return `${packId} ${version} ${channel}: ${side(now)} -> ${side(then)}`;
  });

describe('TryPolicy', () => {
  let publisher: JudgingPublisher;
  beforeAll(async () => {
    publisher = await JudgingPublisher.open();
  });
  beforeEach(async () => {
    publisher.anew();
    await publisher.policy();
    await publisher.policy({ name: 'stable', channel: 'stable', rule: { keyRef: 'board' } });
    await publisher.publish({ packId: 'acme.both', version: '1.0.0' }, ['release', 'board']);
    await publisher.publish({ packId: 'acme.both', version: '1.1.0' }, ['release']);
    await publisher.publish({ packId: 'acme.one', version: '1.0.0' }, ['release']);
    await promote('acme.both', '1.0.0');
  });
  afterAll(() => publisher.close());

  const promote = (packId: string, version: string) =>
    new PromoteVersion(publisher.unitOfWork, publisher.commands, publisher.clock).execute({
      ...publisher.origin,
      ...{ packId, version, channel: 'stable', from: null },
    });
  const attempt = (policy: Partial<SigningPolicy>, more: Partial<TryPolicyRequest> = {}) =>
    new TryPolicy(publisher.unitOfWork, publisher.commands, publisher.clock).execute({
      tenant: publisher.tenant,
      policy: { name: 'default', version: 1, rule: { keyRef: 'release' }, unsigned: 'reject', ...policy },
      after: null,
      limit: 50,
      ...more,
    });

  it('lists exactly the versions that another rule would refuse', async () => {
    const found = await attempt({ rule: { keyRef: 'board' } });
    expect(told(found)).toEqual([
      'acme.both 1.1.0 edge: accepted default@1 ok -> rejected default@2 ERR_PACK_SIGNATURE_UNTRUSTED',
      'acme.one 1.0.0 edge: accepted default@1 ok -> rejected default@2 ERR_PACK_SIGNATURE_UNTRUSTED',
    ]);
    // 1.0.0 in edge is decided by it as well, and stays; what stable decides is none of its business.
    expect(found).toMatchObject({ examined: 4, affected: 3, next: null });
  });

  it('lists nothing for a rule that decides the same, and asks nobody about one that is the same', async () => {
    expect(await attempt({ rule: { anyOf: [{ keyRef: 'release' }, { keyRef: 'board' }] } })).toMatchObject({ affected: 3, changes: [] });
    const asked = publisher.reverified().length;
    expect(await attempt({})).toEqual({ examined: 4, affected: 0, changes: [], next: null });
    expect(publisher.reverified()).toHaveLength(asked);
  });

  it('speaks of the channel that a policy is for, also of one that it would be for then', async () => {
    expect(told(await attempt({ name: 'stable', channel: 'stable', rule: { keyRef: 'nobody' } }))).toEqual([
      'acme.both 1.0.0 stable: accepted stable@1 ok -> rejected stable@2 ERR_PACK_SIGNATURE_UNTRUSTED',
    ]);
    expect(told(await attempt({ name: 'edge', channel: 'edge', rule: { keyRef: 'board' } }))).toEqual([
      'acme.both 1.1.0 edge: accepted default@1 ok -> rejected edge@1 ERR_PACK_SIGNATURE_UNTRUSTED',
      'acme.one 1.0.0 edge: accepted default@1 ok -> rejected edge@1 ERR_PACK_SIGNATURE_UNTRUSTED',
    ]);
    // Away from edge, it leaves edge without a policy.
    expect(told(await attempt({ channel: 'beta' }))).toHaveLength(3);
    expect((await attempt({ channel: 'beta' })).changes[0]?.then).toEqual({
      ...{ outcome: 'rejected', policy: null, check: 'policy', reason: 'ERR_PACK_POLICY_MISSING', evidence: null },
    });
  });

  it('lists what would be accepted again', async () => {
    publisher.trusted.delete('release');
    expect(told(await attempt({ rule: { anyOf: [{ keyRef: 'release' }, { keyRef: 'board' }] } }))).toEqual([
      'acme.both 1.0.0 edge: rejected default@1 ERR_PACK_SIGNATURE_UNTRUSTED -> accepted default@2 ok',
    ]);
  });

  it('comes to the same in pages of one', async () => {
    const whole = told(await attempt({ rule: { keyRef: 'board' } }));
    const pages: string[] = [];
    let pagesRead = 0;
    for (let after: TryPolicyRequest['after'] | undefined = null; after !== undefined && pagesRead < 20; pagesRead++) {
      const page: TryPolicyReply = await attempt({ rule: { keyRef: 'board' } }, { after, limit: 1 });
      pages.push(...told(page));
      after = page.next ?? undefined;
    }
    expect(pages).toEqual(whole);
    expect(pagesRead).toBe(5);
  });

  it('changes nothing', async () => {
    const state = async () => [
      await publisher.rows('select * from registry.policies order by name, version'),
      await publisher.rows('select hash from registry.verdicts order by hash'),
      await publisher.rows('select * from registry.channel_heads order by pack_id, channel'),
      await publisher.rows('select count(*) from registry.outbox'),
    ];
    const before = await state();
    await attempt({ rule: { keyRef: 'nobody' } });
    expect(await state()).toEqual(before);
  });

  it('says nothing of other tenants', async () => {
    const found = await attempt({ rule: { keyRef: 'nobody' } }, { tenant: 'somebody-else' });
    expect(found).toEqual({ examined: 0, affected: 0, changes: [], next: null });
  });

  it('answers in time, and goes on with the next answer', async () => {
    publisher.meanwhile = async () => publisher.clock.advance(20_000);
    const first = await attempt({ rule: { keyRef: 'board' } });
    expect(first).toMatchObject({ examined: 1, next: { packId: 'acme.both', version: '1.0.0', channel: 'edge' } });
    const second = await attempt({ rule: { keyRef: 'board' } }, { after: first.next });
    expect(told(second)).toHaveLength(1);
  });
});
