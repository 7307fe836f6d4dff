import type { AttestationHistory } from '@packs/contracts';
import { parseDigest } from '@packs/domain';
import { Command } from 'commander';
import { parseVersionReference } from '../../../client/pack-reference';
import { RegistryClient, packPath } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { printRows, withOutput, type OutputOptions } from '../../../terminal/output';

interface ContestOptions extends OutputOptions {
  readonly reason: string;
  readonly uphold?: boolean;
}

export function contestCommand(context: CliContext): Command {
  return withOutput(new Command('contest').description('Says that an attestation is not to be relied on, or that it is again'))
    .argument('<packId@version>')
    .argument('<digest>', 'the attestation')
    .requiredOption('--reason <text>', 'why; it goes into the audit log')
    .option('--uphold', 'it is judged as any other again')
    .action(async (reference: string, digest: string, { reason, uphold, ...options }: ContestOptions) => {
      const { packId, version } = parseVersionReference(reference);
      const registry = await RegistryClient.open(context);
      const decision = { decision: uphold ? 'upheld' : 'contested', reason };
      const path = `${packPath(packId, version)}/attestations/${parseDigest(digest)}/states`;
      const view = await registry.post<AttestationHistory>(path, decision);
      printRows(context.stdout, options, view, view.history, [
        ['SEQ', row => row.seq],
        ['STATE', row => row.state],
        ['REASON', row => row.reason ?? ''],
        ['BY', row => row.changedBy],
        ['AT', row => row.changedAt],
      ]);
    });
}
