import { DomainError, type FieldFault } from './domain-error';
import { isName } from './identifiers';
import { CERTIFICATE_EXTENSIONS, namedSigners, type PolicyRule, type ThresholdRule } from './signing-policy';

const MAX_DEPTH = 4;
const MAX_BRANCHES = 32;
const MAX_LEAVES = 128;
/** Of a threshold with `allOf` or a threshold in it: who may count for what is then found by trying. */
const MAX_TRIED_SIGNERS = 8;
const KEY_NAME_MAX = 64;
const PLAIN = /^[!-~]{1,2048}$/;
const FORMS =
  '{"keyRef": "<name>"}, {"oidcIssuer": {"issuer", "identity"}}, {"anyOf": [<rule>, …]}, {"allOf": [<rule>, …]} or {"threshold": {"count", "of": [<rule>, …]}}';

/** @throws DomainError ERR_PACK_POLICY_INVALID with a JSON pointer for each fault */
export function parsePolicyRule(value: unknown, pointer = '/rule'): PolicyRule {
  const errors = ruleFaults(value, pointer);
  if (errors.length > 0) throw new DomainError('ERR_PACK_POLICY_INVALID', 'the policy rule is not valid', { errors });
  return value as PolicyRule;
}

/** Everything that is wrong with a rule; without a fault it is a `PolicyRule`. */
export function ruleFaults(value: unknown, pointer: string): FieldFault[] {
  const reading: Reading = { errors: [], leaves: 0 };
  check(value, pointer, 1, reading);
  if (reading.leaves > MAX_LEAVES) reading.errors.push({ pointer, message: `a rule names signers ${MAX_LEAVES} times at the most` });
  if (reading.errors.length === 0) requireCountable(value as PolicyRule, pointer, reading.errors);
  return reading.errors;
}

interface Reading {
  readonly errors: FieldFault[];
  leaves: number;
}

const CHECKS: Readonly<Record<string, (value: unknown, pointer: string, depth: number, reading: Reading) => void>> = {
  keyRef: (value, pointer, _, reading) => {
    reading.leaves += 1;
    if (!isName(value, KEY_NAME_MAX)) reading.errors.push({ pointer, message: 'must be the name of a key' });
  },
  oidcIssuer: (value, pointer, _, reading) => {
    reading.leaves += 1;
    checkSigner(value, pointer, reading.errors);
  },
  anyOf: checkBranches,
  allOf: checkBranches,
  threshold: checkThreshold,
};

function check(value: unknown, pointer: string, depth: number, reading: Reading): void {
  const [member, ...others] = Object.entries(objectOf(value) ?? {});
  const checkMember = member && Object.hasOwn(CHECKS, member[0]) ? CHECKS[member[0]] : undefined;
  if (!member || !checkMember || others.length > 0) reading.errors.push({ pointer, message: `must be ${FORMS}` });
  else checkMember(member[1], `${pointer}/${member[0]}`, depth, reading);
}

function checkBranches(value: unknown, pointer: string, depth: number, reading: Reading): void {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_BRANCHES) {
    reading.errors.push({ pointer, message: `must be a list of 1 to ${MAX_BRANCHES} rules` });
  } else if (depth >= MAX_DEPTH) {
    const rule = pointer.replace(/\/(?:anyOf|allOf|threshold\/of)$/, '');
    reading.errors.push({ pointer: rule, message: `rules may be nested ${MAX_DEPTH} deep at the most` });
  } else {
    value.forEach((part, at) => check(part, `${pointer}/${at}`, depth + 1, reading));
  }
}

function checkThreshold(value: unknown, pointer: string, depth: number, reading: Reading): void {
  const members = objectOf(value) ?? {};
  if (Object.keys(members).toSorted().join() !== 'count,of') {
    reading.errors.push({ pointer, message: 'must be {"count": <number>, "of": [<rule>, …]}' });
    return;
  }
  const { count, of } = members;
  const most = Array.isArray(of) ? of.length : MAX_BRANCHES;
  if (!Number.isInteger(count) || Number(count) < 1 || Number(count) > most) {
    reading.errors.push({ pointer: `${pointer}/count`, message: 'must be a whole number from 1 to the number of rules' });
  }
  checkBranches(of, `${pointer}/of`, depth, reading);
}

/** That no threshold asks for more signers than it names, and none is costly to answer. */
function requireCountable(rule: PolicyRule, pointer: string, errors: FieldFault[]): void {
  if ('anyOf' in rule) rule.anyOf.forEach((part, at) => requireCountable(part, `${pointer}/anyOf/${at}`, errors));
  else if ('allOf' in rule) rule.allOf.forEach((part, at) => requireCountable(part, `${pointer}/allOf/${at}`, errors));
  else if ('threshold' in rule) requireCountableThreshold(rule, pointer, errors);
}

function requireCountableThreshold(rule: ThresholdRule, pointer: string, errors: FieldFault[]): void {
  const { count, of } = rule.threshold;
  const named = namedSigners(rule).size;
  if (named < count) {
    errors.push({ pointer: `${pointer}/threshold/count`, message: `asks for ${count} signers of the ${named} that the rules name` });
  }
  if (named > MAX_TRIED_SIGNERS && !of.every(isChoice)) {
    const message = `may name ${MAX_TRIED_SIGNERS} signers at the most when it has an allOf or another threshold in it`;
    errors.push({ pointer: `${pointer}/threshold`, message });
  }
  of.forEach((part, at) => requireCountable(part, `${pointer}/threshold/of/${at}`, errors));
}

/** Whether any single one of those it names satisfies it. */
export function isChoice(rule: PolicyRule): boolean {
  if ('anyOf' in rule) return rule.anyOf.every(isChoice);
  return 'keyRef' in rule || 'oidcIssuer' in rule;
}

/** All are compared letter by letter: what looks like a pattern is none. */
function checkSigner(value: unknown, pointer: string, errors: FieldFault[]): void {
  const { issuer, identity, extensions, ...others } = objectOf(value) ?? {};
  if (issuer === undefined || identity === undefined || Object.keys(others).length > 0) {
    errors.push({ pointer, message: 'must be {"issuer": "<URL>", "identity": "<mail address or URI>", "extensions"?: {…}}' });
    return;
  }
  requirePlain(issuer, `${pointer}/issuer`, errors);
  requirePlain(identity, `${pointer}/identity`, errors);
  if (objectOf(value)?.['extensions'] !== undefined) checkExtensions(extensions, `${pointer}/extensions`, errors);
}

function checkExtensions(value: unknown, pointer: string, errors: FieldFault[]): void {
  const members = Object.entries(objectOf(value) ?? {});
  if (members.length === 0) errors.push({ pointer, message: 'must be an object with the extensions that a certificate has to have' });
  for (const [name, text] of members) {
    if (CERTIFICATE_EXTENSIONS.some(known => known === name)) requirePlain(text, `${pointer}/${name}`, errors);
    else errors.push({ pointer, message: `knows no extension but ${CERTIFICATE_EXTENSIONS.join(', ')}` });
  }
}

function requirePlain(text: unknown, pointer: string, errors: FieldFault[]): void {
  if (typeof text === 'string' && PLAIN.test(text)) return;
  errors.push({ pointer, message: 'must be 1 to 2048 characters of ASCII without spaces' });
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
