import { DomainError, type FieldFault } from './domain-error';
import { ruleFaults } from './policy-rule';
import { SIGNATURE_SCHEMES, type PolicyRequirements, type SignatureScheme } from './signing-policy';

/** A policy file may name a set of algorithms in place of one. FIPS 186-5 knows Ed25519 as well; the modules this is for do not. */
const ALGORITHM_PRESETS = { fips: { allows: ['ecdsa-p256-sha256'], excludes: ['ed25519'] } } as const satisfies Readonly<
  Record<string, { readonly allows: readonly SignatureScheme[]; readonly excludes: readonly SignatureScheme[] }>
>;

const MAX_ATTESTATIONS = 16;
const MAX_DAYS = 36_500;
const PREDICATE_TYPE = /^[!-~]{1,512}$/;
const MEMBERS: readonly string[] = ['algorithms', 'attestations', 'log', 'maxAgeDays'];

/**
 * What a policy asks for beside its signers; sets of algorithms are written out, so that a policy means the same for ever.
 * @throws DomainError ERR_PACK_POLICY_INVALID with a JSON pointer for each fault
 */
export function parsePolicyRequirements(value: unknown, pointer = '/require'): PolicyRequirements {
  const errors: FieldFault[] = [];
  const requirements = read(value, pointer, errors);
  if (errors.length > 0) throw new DomainError('ERR_PACK_POLICY_INVALID', 'the policy requires what it cannot', { errors });
  return requirements;
}

function read(value: unknown, pointer: string, errors: FieldFault[]): PolicyRequirements {
  const members = objectOf(value);
  if (!members || Object.keys(members).length === 0 || Object.keys(members).some(name => !MEMBERS.includes(name))) {
    errors.push({ pointer, message: `must be an object with one or more of ${MEMBERS.join(', ')}` });
    return {};
  }
  const { algorithms, attestations, log, maxAgeDays } = members;
  if (attestations !== undefined) checkAttestations(attestations, `${pointer}/attestations`, errors);
  if (log !== undefined && typeof log !== 'boolean') errors.push({ pointer: `${pointer}/log`, message: 'must be true or false' });
  if (maxAgeDays !== undefined && !isWhole(maxAgeDays, MAX_DAYS)) {
    errors.push({ pointer: `${pointer}/maxAgeDays`, message: `must be a whole number from 1 to ${MAX_DAYS}` });
  }
  if (algorithms === undefined) return members;
  return { ...members, algorithms: readAlgorithms(algorithms, `${pointer}/algorithms`, errors) };
}

/** The schemes that are named, and those of the sets that are named, in the order of `SIGNATURE_SCHEMES`. */
function readAlgorithms(value: unknown, pointer: string, errors: FieldFault[]): readonly SignatureScheme[] {
  const names: readonly unknown[] = Array.isArray(value) ? value : [];
  if (names.length === 0 || new Set(names).size < names.length) {
    errors.push({ pointer, message: 'must be a list of one or more algorithms, each once' });
    return [];
  }
  const presets = Object.entries(ALGORITHM_PRESETS).filter(([name]) => names.includes(name));
  const allowed = new Set<unknown>(presets.flatMap(([, { allows }]) => allows));
  for (const [at, name] of names.entries()) {
    const excluded = presets.find(([, { excludes }]) => excludes.some(scheme => scheme === name));
    if (excluded) errors.push({ pointer: `${pointer}/${at}`, message: `${excluded[0]} leaves it out` });
    else if (SIGNATURE_SCHEMES.some(scheme => scheme === name)) allowed.add(name);
    else if (typeof name !== 'string' || !Object.hasOwn(ALGORITHM_PRESETS, name)) {
      const known = [...SIGNATURE_SCHEMES, ...Object.keys(ALGORITHM_PRESETS)];
      errors.push({ pointer: `${pointer}/${at}`, message: `must be one of ${known.join(', ')}` });
    }
  }
  return SIGNATURE_SCHEMES.filter(scheme => allowed.has(scheme));
}

function checkAttestations(value: unknown, pointer: string, errors: FieldFault[]): void {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_ATTESTATIONS) {
    errors.push({ pointer, message: `must be a list of 1 to ${MAX_ATTESTATIONS} attestations` });
    return;
  }
  const seen = new Set<unknown>();
  for (const [at, item] of value.entries()) {
    const { predicateType, rule, ...others } = objectOf(item) ?? {};
    const place = `${pointer}/${at}`;
    if (typeof predicateType !== 'string' || !PREDICATE_TYPE.test(predicateType) || Object.keys(others).length > 0) {
      errors.push({ pointer: place, message: 'must be {"predicateType": "<URI>", "rule"?: <rule>}' });
    }
    if (seen.has(predicateType)) errors.push({ pointer: place, message: 'asks for a predicate type that is asked for before' });
    seen.add(predicateType);
    if (rule !== undefined) errors.push(...ruleFaults(rule, `${place}/rule`));
  }
}

function isWhole(value: unknown, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
