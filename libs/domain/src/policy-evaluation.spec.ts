import { isSatisfied, type Signer } from './policy-evaluation';
import { parsePolicyRule } from './policy-rule';
import type { PolicyRule } from './signing-policy';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const LEAVES = 128;

/** Signers that count how often they are looked at. */
function counted(names: readonly string[]): { readonly signers: Signer[]; readonly looks: () => number } {
  let looks = 0;
  const signers = names.map((name): Signer => ({
    get name() {
      looks += 1;
      return name;
    },
  }));
  return { signers, looks: () => looks };
}

const leaf = (at: number): PolicyRule => ({ keyRef: NAMES[at % NAMES.length] ?? 'a' });
const anyTwo = (of: readonly PolicyRule[]): PolicyRule => ({ threshold: { count: 2, of } });
const listOf = (count: number, make: (at: number) => PolicyRule): PolicyRule[] => Array.from({ length: count }, (_, at) => make(at));
/** 128 leaves. */
const THREE_LEVELS = anyTwo(listOf(4, a => anyTwo(listOf(4, b => anyTwo(listOf(8, c => leaf(a + b + c)))))));

describe('the work of a rule', () => {
  it.each<[string, PolicyRule]>([
    ['three levels of thresholds', THREE_LEVELS],
    ['thresholds over allOf and anyOf', anyTwo(listOf(8, a => ({ allOf: listOf(4, b => ({ anyOf: listOf(4, c => leaf(a + b + c)) })) })))],
    ['a threshold over many choices', anyTwo(listOf(32, a => ({ anyOf: listOf(4, b => leaf(a + b)) })))],
  ])('is to look at each signer once for each leaf: %s', (_, rule) => {
    for (const names of [NAMES, NAMES.slice(1), ['a']]) {
      const { signers, looks } = counted(names);
      isSatisfied(parsePolicyRule(rule), signers);
      // And once each to tell which of them the rule names, and who is one and the same.
      expect(looks()).toBeLessThanOrEqual((LEAVES + 2) * names.length);
    }
  });

  it('comes to an answer where thresholds are three deep', () => {
    const signed = (names: readonly string[]) =>
      isSatisfied(
        THREE_LEVELS,
        names.map(name => ({ name })),
      );
    expect(signed(NAMES)).toBe(true);
    for (const name of NAMES) expect(signed(NAMES.filter(one => one !== name))).toBe(false);
  });
});

describe('a threshold over branches that ask for extensions', () => {
  const of = (identity: string, buildTrigger: string): PolicyRule => ({
    oidcIssuer: { issuer: 'https://issuer.test', identity, extensions: { buildTrigger } },
  });
  const by = (identity: string, buildTrigger: string): Signer => ({
    name: JSON.stringify(['https://issuer.test', identity]),
    extensions: { buildTrigger },
  });
  const rule = parsePolicyRule(anyTwo([{ allOf: [of('x', 'push'), of('x', 'tag')] }, of('y', 'push')]));

  it('takes for an identity what any of its certificates says', () => {
    expect(isSatisfied(rule, [by('x', 'push'), by('x', 'tag'), by('y', 'push')])).toBe(true);
    expect(isSatisfied(rule, [by('x', 'push'), by('x', 'push'), by('y', 'push')])).toBe(false);
    expect(isSatisfied(rule, [by('x', 'push'), by('x', 'tag'), by('y', 'tag')])).toBe(false);
  });
});
