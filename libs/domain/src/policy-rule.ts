import { DomainError, type FieldFault } from './domain-error';
import { isName } from './identifiers';
import type { PolicyRule } from './signing-policy';

const MAX_DEPTH = 4;
const MAX_BRANCHES = 32;
const KEY_NAME_MAX = 64;

/** @throws DomainError ERR_PACK_POLICY_INVALID with a JSON pointer for each fault */
export function parsePolicyRule(value: unknown, pointer = '/rule'): PolicyRule {
  const errors: FieldFault[] = [];
  check(value, pointer, 1, errors);
  if (errors.length > 0) throw new DomainError('ERR_PACK_POLICY_INVALID', 'the policy rule is not valid', { errors });
  return value as PolicyRule;
}

function check(value: unknown, pointer: string, depth: number, errors: FieldFault[]): void {
  const members = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  const rule = value as { keyRef?: unknown; anyOf?: unknown };
  if (members.length !== 1 || !('keyRef' in rule || 'anyOf' in rule)) {
    errors.push({ pointer, message: 'must be {"keyRef": "<name>"} or {"anyOf": [<rule>, …]}' });
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
