import { isChoice } from './policy-rule';
import { namedSigners, signerName, type PolicyRule, type ThresholdRule } from './signing-policy';

/** Somebody whose signature is valid, as rules see them. */
export interface Signer {
  /** As by `signerName`: signers of one name are one identity, whatever keys or certificates they have. */
  readonly name: string;
  /** Of the certificate, if one signed. */
  readonly extensions?: Readonly<Record<string, string>>;
}

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
  return (of.every(isChoice) ? mostMatched(of, identities) : mostDisjoint(of, identities)) >= Math.max(1, count);
}

/** Where one identity satisfies a branch, the most is that of a matching of branches and identities: found by augmenting paths. */
function mostMatched(branches: readonly PolicyRule[], identities: readonly (readonly Signer[])[]): number {
  const holders = new Map<number, PolicyRule>();
  const place = (branch: PolicyRule, tried: Set<number>): boolean =>
    identities.some((identity, at) => {
      if (tried.has(at) || !isSatisfied(branch, identity)) return false;
      tried.add(at);
      const holder = holders.get(at);
      if (holder && !place(holder, tried)) return false;
      holders.set(at, branch);
      return true;
    });
  return branches.filter(branch => place(branch, new Set())).length;
}

/** Else every way to share the identities out is tried: a rule that asks for it may name only a few. A set of identities is a number, by its bits. */
function mostDisjoint(branches: readonly PolicyRule[], identities: readonly (readonly Signer[])[]): number {
  const everybody = 2 ** identities.length - 1;
  let most = new Array<number>(everybody + 1).fill(0);
  for (const branch of branches) {
    const enough = smallestSets(everybody, set => isSatisfied(branch, identities.filter((_, at) => set & (1 << at)).flat()));
    most = most.map((without, free) => {
      const within = enough.filter(set => (set & free) === set);
      return Math.max(without, ...within.map(set => (most[free & ~set] ?? 0) + 1));
    });
  }
  return most[everybody] ?? 0;
}

/** Sets that suffice, and none of whose parts does. */
function smallestSets(everybody: number, suffices: (set: number) => boolean): number[] {
  const found: number[] = [];
  for (let set = 0; set <= everybody; set++) {
    if (!found.some(part => (part & set) === part) && suffices(set)) found.push(set);
  }
  return found;
}
