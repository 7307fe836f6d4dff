import { DomainError, type FieldFault } from './domain-error';
import { isName } from './identifiers';
import type { PolicyRule } from './signing-policy';

const MAX_DEPTH = 4;
const MAX_BRANCHES = 32;
const KEY_NAME_MAX = 64;
const PLAIN = /^[!-~]{1,2048}$/;

/** @throws DomainError ERR_PACK_POLICY_INVALID with a JSON pointer for each fault */
export function parsePolicyRule(value: unknown, pointer = '/rule'): PolicyRule {
  const errors: FieldFault[] = [];
  check(value, pointer, 1, errors);
  if (errors.length > 0) throw new DomainError('ERR_PACK_POLICY_INVALID', 'the policy rule is not valid', { errors });
  return value as PolicyRule;
}

function check(value: unknown, pointer: string, depth: number, errors: FieldFault[]): void {
  const members = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  const rule = value as { keyRef?: unknown; oidcIssuer?: unknown; anyOf?: unknown };
  if (members.length !== 1 || !('keyRef' in rule || 'oidcIssuer' in rule || 'anyOf' in rule)) {
    errors.push({ pointer, message: 'must be {"keyRef": "<name>"}, {"oidcIssuer": {"issuer", "identity"}} or {"anyOf": [<rule>, …]}' });
  } else if ('oidcIssuer' in rule) {
    checkSigner(rule.oidcIssuer, `${pointer}/oidcIssuer`, errors);
  } else if ('keyRef' in rule) {
    if (!isName(rule.keyRef, KEY_NAME_MAX)) errors.push({ pointer: `${pointer}/keyRef`, message: 'must be the name of a key' });
  } else if (!Array.isArray(rule.anyOf) || rule.anyOf.length === 0 || rule.anyOf.length > MAX_BRANCHES) {
    errors.push({ pointer: `${pointer}/anyOf`, message: `must be a list of 1 to ${MAX_BRANCHES} rules` });
  } else if (depth >= MAX_DEPTH) {
    errors.push({ pointer, message: `rules may be nested ${MAX_DEPTH} deep at the most` });
  } else {
    rule.anyOf.forEach((part, at) => check(part, `${pointer}/anyOf/${at}`, depth + 1, errors));
  }
}

/** Both are compared letter by letter: what looks like a pattern is none. */
function checkSigner(value: unknown, pointer: string, errors: FieldFault[]): void {
  const members: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  if (Object.keys(members).toSorted().join() !== 'identity,issuer') {
    errors.push({ pointer, message: 'must be {"issuer": "<URL>", "identity": "<mail address or URI>"}' });
    return;
  }
  for (const name of ['issuer', 'identity']) {
    const text = members[name];
    if (typeof text !== 'string' || !PLAIN.test(text)) {
      errors.push({ pointer: `${pointer}/${name}`, message: 'must be 1 to 2048 characters of ASCII without spaces' });
    }
  }
}
