import { isSatisfied } from './policy-evaluation';
import { parsePolicyRule } from './policy-rule';
import { policyDigest, selectPolicy, signersOf, type PolicyRule, type SigningPolicy } from './signing-policy';

function aPolicy(name: string, binding: Pick<SigningPolicy, 'channel' | 'packType'> = {}): SigningPolicy {
  return { name, version: 1, rule: { keyRef: 'release' }, unsigned: 'reject', ...binding };
}

describe('selectPolicy', () => {
  const everything = aPolicy('everything');
  const stable = aPolicy('stable', { channel: 'stable' });
  const tasks = aPolicy('tasks', { packType: 'task' });
  const stableTasks = aPolicy('stable-tasks', { channel: 'stable', packType: 'task' });
  const all = [everything, stable, tasks, stableTasks];

  it.each([
    ['stable', 'task', 'stable-tasks'],
    ['edge', 'task', 'tasks'],
    ['stable', 'policy', 'stable'],
    ['edge', 'policy', 'everything'],
  ] as const)('takes for channel %s and type %s the most specific: %s', (channel, packType, name) => {
    for (const policies of [all, all.toReversed()]) expect(selectPolicy(policies, { channel, packType })?.name).toBe(name);
  });

  it('weighs a type more than a channel', () => {
    expect(selectPolicy([stable, tasks], { channel: 'stable', packType: 'task' })?.name).toBe('tasks');
  });

  it('takes among equals the first by name, whatever their order', () => {
    const equals = [aPolicy('b'), aPolicy('a'), aPolicy('c')];
    for (const policies of [equals, equals.toReversed()])
      expect(selectPolicy(policies, { channel: 'edge', packType: 'task' })?.name).toBe('a');
  });

  it('finds none where none is bound', () => {
    expect(selectPolicy([], { channel: 'edge', packType: 'task' })).toBeUndefined();
    expect(selectPolicy([stable, stableTasks], { channel: 'edge', packType: 'task' })).toBeUndefined();
  });
});

describe('a rule', () => {
  const nested: PolicyRule = { anyOf: [{ keyRef: 'a' }, { anyOf: [{ keyRef: 'b' }, { keyRef: 'c' }] }] };

  it.each([
    [{ keyRef: 'a' }, [], false],
    [{ keyRef: 'a' }, ['a'], true],
    [{ keyRef: 'a' }, ['b'], false],
    [{ keyRef: 'a' }, ['A'], false],
    [{ anyOf: [{ keyRef: 'a' }, { keyRef: 'b' }] }, [], false],
    [{ anyOf: [{ keyRef: 'a' }, { keyRef: 'b' }] }, ['b'], true],
    [{ anyOf: [{ keyRef: 'a' }, { keyRef: 'b' }] }, ['a', 'b'], true],
    [{ anyOf: [] }, ['a'], false],
    [nested, ['c'], true],
    [nested, ['d'], false],
  ] as [PolicyRule, string[], boolean][])('%j with signatures by %j: %s', (rule, keys, satisfied) => {
    const signers = keys.map(name => ({ name }));
    expect(isSatisfied(rule, signers)).toBe(satisfied);
  });

  it('names the keys it can be satisfied by', () => {
    expect(signersOf(nested)).toEqual(['a', 'b', 'c']);
  });
});

describe('policyDigest', () => {
  it('changes with everything a policy says and with nothing else', () => {
    const policy = aPolicy('default', { channel: 'edge' });
    const variants: SigningPolicy[] = [
      policy,
      { ...policy, name: 'other' },
      { ...policy, version: 2 },
      { ...policy, channel: 'stable' },
      { ...policy, packType: 'task' },
      { ...policy, rule: { anyOf: [{ keyRef: 'release' }] } },
      { ...policy, unsigned: 'allow' },
    ];
    expect(new Set(variants.map(policyDigest)).size).toBe(variants.length);
    expect(policyDigest({ unsigned: 'reject', rule: { keyRef: 'release' }, channel: 'edge', version: 1, name: 'default' })).toBe(
      policyDigest(policy),
    );
  });
});

describe('parsePolicyRule', () => {
  const deep = (depth: number): unknown => (depth === 1 ? { keyRef: 'a' } : { anyOf: [deep(depth - 1)] });

  it.each([[{ keyRef: 'release' }], [{ anyOf: [{ keyRef: 'a' }, { keyRef: 'b' }] }], [deep(4)]])('accepts %j', rule => {
    expect(parsePolicyRule(rule)).toEqual(rule);
  });

  it.each([
    [null, ['/rule']],
    [[], ['/rule']],
    [{}, ['/rule']],
    [{ keyRef: 'a', anyOf: [] }, ['/rule']],
    [{ threshold: 2 }, ['/rule/threshold']],
    [{ keyRef: 'Release Key' }, ['/rule/keyRef']],
    [{ keyRef: 7 }, ['/rule/keyRef']],
    [{ anyOf: [] }, ['/rule/anyOf']],
    [{ anyOf: Array.from({ length: 33 }, () => ({ keyRef: 'a' })) }, ['/rule/anyOf']],
    [{ anyOf: [{ keyRef: 'a' }, {}, { keyRef: '' }] }, ['/rule/anyOf/1', '/rule/anyOf/2/keyRef']],
    [deep(5), ['/rule/anyOf/0/anyOf/0/anyOf/0']],
  ])('refuses %j at %j', (rule, pointers) => {
    const refused = (): unknown => parsePolicyRule(rule);
    expect(refused).toThrow(
      expect.objectContaining({ code: 'ERR_PACK_POLICY_INVALID', errors: pointers.map(pointer => expect.objectContaining({ pointer })) }),
    );
  });
});
