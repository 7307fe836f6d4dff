import { isSatisfied } from './policy-evaluation';
import { parsePolicyRule } from './policy-rule';
import type { PolicyRule } from './signing-policy';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const SEED = Number(process.env['TEST_SEED'] ?? 20_261_123);
const RANDOM_RULES = 300;

/** The model: whoever signed is dealt to the branches of a threshold in every way, each to one, until enough of them are content with their own. */
function holds(rule: PolicyRule, signed: ReadonlySet<string>): boolean {
  if ('keyRef' in rule) return signed.has(rule.keyRef);
  if ('anyOf' in rule) return rule.anyOf.some(branch => holds(branch, signed));
  if ('allOf' in rule) return rule.allOf.every(branch => holds(branch, signed));
  if ('oidcIssuer' in rule) return false;
  const { count, of } = rule.threshold;
  const hands = of.map((): ReadonlySet<string> => new Set());
  const named = JSON.stringify(of);
  const meant = [...signed].filter(name => named.includes(`"${name}"`));
  return canDeal(meant, hands, dealt => of.filter((branch, at) => holds(branch, dealt[at] ?? new Set())).length >= count);
}

type Hands = readonly ReadonlySet<string>[];

function canDeal([next, ...rest]: readonly string[], hands: Hands, isEnough: (dealt: Hands) => boolean): boolean {
  if (next === undefined) return isEnough(hands);
  return hands.some((hand, at) => canDeal(rest, hands.with(at, new Set([...hand, next])), isEnough));
}

function subsets(names: readonly string[]): string[][] {
  return names.reduce<string[][]>((found, name) => [...found, ...found.map(set => [...set, name])], [[]]);
}

/** Every way to join rules: one of them, all of them, and each number of them. */
function joined(of: readonly PolicyRule[]): PolicyRule[] {
  return [{ anyOf: of }, { allOf: of }, ...of.map((_, at): PolicyRule => ({ threshold: { count: at + 1, of } }))];
}

/** Every way to cut the names, in their order, into groups, and to join each. */
function groupings(names: readonly string[]): PolicyRule[][] {
  if (names.length === 0) return [[]];
  return names.flatMap((_, at) => {
    const group = names.slice(0, at + 1).map(keyRef => ({ keyRef }));
    const rest = groupings(names.slice(at + 1));
    const [only] = group;
    const ways: PolicyRule[] = group.length === 1 && only ? [only] : joined(group);
    return ways.flatMap(way => rest.map(others => [way, ...others]));
  });
}

/** What differs, as text; undefined when both agree on every subset of the signers. */
function difference(rule: PolicyRule, names: readonly string[]): string | undefined {
  const differing = subsets(names).find(set => {
    const signers = set.map(name => ({ name }));
    return isSatisfied(rule, signers) !== holds(rule, new Set(set));
  });
  return differing && `${JSON.stringify(rule)} with signatures by ${differing.join()}`;
}

function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Branches may name the same signers: there nobody may count twice. */
function randomRule(random: (below: number) => number, depth: number): PolicyRule {
  if (depth === 0 || random(3) === 0) return { keyRef: NAMES[random(NAMES.length)] ?? 'a' };
  const of = Array.from({ length: 1 + random(4) }, () => randomRule(random, depth - 1));
  const ways = joined(of);
  return ways[random(ways.length)] ?? { anyOf: of };
}

describe('rules against the model', () => {
  it.each([1, 2, 3, 4, 5, 6])('agree in every threshold of %i signers', most => {
    const names = NAMES.slice(0, most);
    const tables = joined(names.map(keyRef => ({ keyRef })));
    expect(tables.map(rule => difference(parsePolicyRule(rule), names)).filter(Boolean)).toEqual([]);
    expect(tables).toHaveLength(most + 2);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'agree in every rule over groups of %i signers',
    most => {
      const names = NAMES.slice(0, most);
      const tables = groupings(names).flatMap(joined);
      expect(tables.map(rule => difference(parsePolicyRule(rule), names)).filter(Boolean)).toEqual([]);
      expect(tables.length).toBeGreaterThanOrEqual(2 ** (most - 1) * 3);
    },
    120_000,
  );

  it(`agree where branches share signers (seed ${SEED})`, () => {
    const random = randomNumbers(SEED);
    const rules = Array.from({ length: RANDOM_RULES }, () => randomRule(random, 3));
    const valid = rules.filter(isValid);
    expect(valid.length).toBeGreaterThan(RANDOM_RULES / 3);
    expect(valid.map(rule => difference(rule, NAMES)).filter(Boolean)).toEqual([]);
  }, 120_000);
});

function isValid(rule: PolicyRule): boolean {
  try {
    parsePolicyRule(rule);
    return true;
  } catch {
    return false;
  }
}
