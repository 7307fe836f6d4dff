import { readFile } from 'node:fs/promises';
import type { PolicyChangeView, PolicyDecisionView, PolicyTrialAnswer } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { Command } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { printRows, withOutput, type OutputOptions } from '../../terminal/output';

interface WhatIfOptions extends OutputOptions {
  readonly name?: string;
}

export function whatIfCommand(context: CliContext): Command {
  return withOutput(new Command('what-if').description('Lists what another signing policy would decide otherwise about published versions'))
    .argument('<file>', 'the policy as JSON, as `policy list --output json` shows it')
    .option('--name <name>', 'the policy whose place it would take; absent: the name in the file')
    .action(async (file: string, { name, ...options }: WhatIfOptions) => {
      const { policy, named } = await readPolicy(file);
      const whose = name ?? named;
      if (whose === undefined) {
        throw new DomainError('ERR_PACK_REQUEST_INVALID', 'the policy in the file has no name: give --name', {
          errors: [{ field: 'name', message: 'is missing' }],
        });
      }
      const registry = await RegistryClient.open(context);
      const found = { examined: 0, affected: 0, changes: [] as PolicyChangeView[] };
      for (let cursor: string | null | undefined = undefined; cursor !== null;) {
        const path = `/api/policies/${encodeURIComponent(whose)}/what-if`;
        const page: PolicyTrialAnswer = await registry.post<PolicyTrialAnswer>(path, {
          ...policy,
          ...(cursor !== undefined && { cursor }),
        });
        found.examined += page.examined;
        found.affected += page.affected;
        found.changes.push(...page.changes);
        cursor = page.next;
        context.stderr.write(`${found.examined} decisions gone through, ${found.changes.length} would be others\n`);
      }
      printRows(context.stdout, options, found, found.changes, [
        ['PACK', change => change.packId],
        ['VERSION', change => change.version],
        ['CHANNEL', change => change.channel],
        ['NOW', change => told(change.now)],
        ['THEN', change => told(change.then)],
      ]);
    });
}

function told({ outcome, policy, check, reason }: PolicyDecisionView): string {
  return `${outcome} by ${policy ?? 'no policy'} (${check}: ${reason})`;
}

/** Whatever a policy is made of; what answers of the registry have beside it is left out. */
async function readPolicy(file: string): Promise<{ policy: object; named: string | undefined }> {
  const text = await readFile(file, 'utf8');
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notAPolicy(file);
  const {
    name,
    version: _,
    digest: _d,
    active: _a,
    createdAt: _at,
    createdBy: _by,
    supersededAt: _until,
    ...policy
  } = value as Readonly<Record<string, unknown>>;
  return { policy, named: typeof name === 'string' ? name : undefined };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notAPolicy(file: string): DomainError {
  return new DomainError('ERR_PACK_POLICY_INVALID', `${file} is not a policy in JSON`, {
    errors: [{ field: 'file', message: 'is not a policy in JSON' }],
  });
}
