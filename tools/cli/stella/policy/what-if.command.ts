import type { PolicyChangeView, PolicyDecisionView, PolicyTrialAnswer } from '@packs/contracts';
import { Command } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { printRows, withOutput, type OutputOptions } from '../../terminal/output';
import { readPolicyFile } from './read-policy-file';

export function whatIfCommand(context: CliContext): Command {
  return withOutput(new Command('what-if').description('Lists what a signing policy would decide otherwise about published versions'))
    .argument('<name>', 'the policy whose place it would take, or a new name')
    .requiredOption('--file <policy>', 'all of it, as `policy set` takes it')
    .action(async (name: string, { file, ...options }: OutputOptions & { readonly file: string }) => {
      const policy = await readPolicyFile(file, name);
      const registry = await RegistryClient.open(context);
      const found = { examined: 0, affected: 0, changes: [] as PolicyChangeView[] };
      for (let cursor: string | null | undefined = undefined; cursor !== null;) {
        const path = `/api/policies/${encodeURIComponent(name)}/what-if`;
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
