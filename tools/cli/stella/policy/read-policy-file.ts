import { readFile } from 'node:fs/promises';
import type { PolicyInput } from '@packs/contracts';
import { DomainError, parsePolicyRequirements, parsePolicyRule, UNSIGNED_ANSWERS } from '@packs/domain';
import { readYaml } from '@packs/pack-format';

const MEMBERS: readonly string[] = ['channel', 'packType', 'rule', 'unsigned', 'require'];
/** What `stella policy show` prints beside them: a file that was made of it can be applied again. */
const SHOWN: readonly string[] = ['name', 'version'];

/**
 * A policy as a file of YAML or JSON says it. What it says is checked here as well, so that a faulty one is told before anybody is asked.
 * @throws DomainError ERR_PACK_POLICY_INVALID with a JSON pointer for each fault
 */
export async function readPolicyFile(file: string, name: string): Promise<PolicyInput> {
  const value = parse(await readFile(file));
  const members: Readonly<Record<string, unknown>> =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  const unknown = Object.keys(members).filter(member => ![...MEMBERS, ...SHOWN].includes(member));
  if (!('rule' in members) || unknown.length > 0) {
    throw invalid('', `has to have a rule, and no members but ${MEMBERS.join(', ')}`);
  }
  if (members['name'] !== undefined && members['name'] !== name) throw invalid('/name', `is not ${name}`);
  const { channel, packType, unsigned = 'pending' } = members as Partial<PolicyInput>;
  if (!UNSIGNED_ANSWERS.includes(unsigned)) throw invalid('/unsigned', `is not one of ${UNSIGNED_ANSWERS.join(', ')}`);
  const rule = parsePolicyRule(members['rule']);
  const require = members['require'] === undefined ? {} : { require: parsePolicyRequirements(members['require']) };
  return { channel, packType, rule, unsigned, ...require };
}

function parse(bytes: Buffer): unknown {
  try {
    return readYaml(bytes);
  } catch (error) {
    throw error instanceof DomainError ? invalid('', `is not readable: ${error.message}`) : error;
  }
}

function invalid(pointer: string, message: string): DomainError {
  return new DomainError('ERR_PACK_POLICY_INVALID', `the policy file ${message}`, { errors: [{ pointer, message }] });
}
