import { isChoice } from './policy-rule';
import { namedSigners, signerName, type PolicyRule, type ThresholdRule } from './signing-policy';

/** Somebody whose signature is valid, as rules see them. */
export interface Signer {
  /** As by `signerName`: signers of one name are one identity, whatever keys or certificates they have. */
  readonly name: string;
  /** Of the certificate, if one signed. */
  readonly extensions?: Readonly<Record<string, string>>;
}

/** Signers of one name. */
type Identity = readonly Signer[];

/** Whether these signers satisfy the rule. */
export function isSatisfied(rule: PolicyRule, signers: readonly Signer[]): boolean {
  if ('anyOf' in rule) return rule.anyOf.some(branch => isSatisfied(branch, signers));
  if ('allOf' in rule) return rule.allOf.length > 0 && rule.allOf.every(branch => isSatisfied(branch, signers));
  if ('threshold' in rule) return isReached(rule, signers);
  return signers.some(signer => isMeant(rule, signer));
}

function isMeant(leaf: Parameters<typeof signerName>[0], signer: Signer): boolean {
  if (signer.name !== signerName(leaf)) return false;
  const wanted = 'oidcIssuer' in leaf ? (leaf.oidcIssuer.extensions ?? {}) : {};
  return Object.entries(wanted).every(([name, value]) => signer.extensions?.[name] === value);
}

/** Whether enough branches can be satisfied side by side, each by identities of its own. */
function isReached(rule: ThresholdRule, signers: readonly Signer[]): boolean {
  const { count, of } = rule.threshold;
  const named = namedSigners(rule);
  const byIdentity = Map.groupBy(
    signers.filter(({ name }) => named.has(name)),
    ({ name }) => name,
  );
  const identities = [...byIdentity.values()];
  if (of.every(isChoice)) return mostMatched(of, identities) >= Math.max(1, count);
  return satisfyingSets(rule, identities).at(-1) ?? false;
}

/** Where one identity satisfies a branch, the most is that of a matching of branches and identities: found by augmenting paths. */
function mostMatched(branches: readonly PolicyRule[], identities: readonly Identity[]): number {
  const meant = branches.map(branch => identities.flatMap((identity, at) => (isSatisfied(branch, identity) ? [at] : [])));
  const holders = new Map<number, readonly number[]>();
  const place = (fitting: readonly number[], tried: Set<number>): boolean =>
    fitting.some(at => {
      if (tried.has(at)) return false;
      tried.add(at);
      const holder = holders.get(at);
      if (holder && !place(holder, tried)) return false;
      holders.set(at, fitting);
      return true;
    });
  return meant.filter(fitting => place(fitting, new Set())).length;
}

/**
 * Else every way to share the identities out is tried: a rule that asks for it may name only a few. A set of identities is a number, by its bits, and
 * this tells of each whether it satisfies the rule: so each part of the rule is looked at once, however deep it lies.
 */
function satisfyingSets(rule: PolicyRule, identities: readonly Identity[]): readonly boolean[] {
  const sets = Array.from({ length: 2 ** identities.length }, (_, set) => set);
  if ('anyOf' in rule) {
    const branches = rule.anyOf.map(branch => satisfyingSets(branch, identities));
    return sets.map(set => branches.some(branch => branch[set]));
  }
  if ('allOf' in rule) {
    const branches = rule.allOf.map(branch => satisfyingSets(branch, identities));
    return sets.map(set => branches.length > 0 && branches.every(branch => branch[set]));
  }
  if ('threshold' in rule) return mostDisjoint(rule.threshold.of, identities).map(most => most >= Math.max(1, rule.threshold.count));
  const meant = identities.reduce((bits, identity, at) => (identity.some(signer => isMeant(rule, signer)) ? bits | (1 << at) : bits), 0);
  return sets.map(set => (set & meant) !== 0);
}

/** Of each set, how many of the branches it can satisfy side by side. */
function mostDisjoint(branches: readonly PolicyRule[], identities: readonly Identity[]): readonly number[] {
  let most = new Array<number>(2 ** identities.length).fill(0);
  for (const branch of branches) {
    const enough = smallestSets(satisfyingSets(branch, identities));
    most = most.map((without, free) => {
      const within = enough.filter(set => (set & free) === set);
      return Math.max(without, ...within.map(set => (most[free & ~set] ?? 0) + 1));
    });
  }
  return most;
}

/** Sets that suffice, and none of whose parts does. */
function smallestSets(suffices: readonly boolean[]): number[] {
  const found: number[] = [];
  for (const [set, isEnough] of suffices.entries()) {
    if (isEnough && !found.some(part => (part & set) === part)) found.push(set);
  }
  return found;
}
