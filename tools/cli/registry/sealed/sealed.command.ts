import type { SealView } from '@packs/contracts';
import { Command } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import type { CliContext } from '../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../terminal/output';

interface ChangeOptions extends OutputOptions {
  readonly reason: string;
}

const SEALED = '/api/sealed';
const REASON = 'why, for people';

export function sealedCommand(context: CliContext): Command {
  const sealed = new Command('sealed').description('A sealed registry changes by kit imports alone');
  withOutput(sealed.command('show').description('Shows whether the registry is sealed, and who asked to unseal it')).action(
    async (options: OutputOptions) => {
      const registry = await RegistryClient.open(context);
      print(context, options, await registry.get<SealView>(SEALED));
    },
  );
  withOutput(sealed.command('seal').description('Seals the registry at once; takes an open request to unseal back'))
    .requiredOption('--reason <text>', REASON)
    .action(async ({ reason, ...options }: ChangeOptions) => {
      const registry = await RegistryClient.open(context);
      print(context, options, await registry.put<SealView>(SEALED, { sealed: true, reason }));
    });
  withOutput(sealed.command('unseal').description('Asks to unseal the registry; two others have to approve within a day'))
    .requiredOption('--reason <text>', REASON)
    .action(async ({ reason, ...options }: ChangeOptions) => {
      const registry = await RegistryClient.open(context);
      print(context, options, await registry.put<SealView>(SEALED, { sealed: false, reason }));
    });
  withOutput(sealed.command('approve').description('Approves the open request to unseal')).action(async (options: OutputOptions) => {
    const registry = await RegistryClient.open(context);
    print(context, options, await registry.json<SealView>('POST', `${SEALED}/approvals`));
  });
  return sealed;
}

function print(context: CliContext, options: OutputOptions, seal: SealView): void {
  const { pendingUnseal } = seal;
  printFields(context.stdout, options, seal, {
    sealed: seal.sealed ? 'yes' : 'no',
    by: seal.by === 'configuration' ? 'configuration: no request can unseal it' : seal.changedBy,
    since: seal.since,
    reason: seal.reason,
    'unseal asked by': pendingUnseal?.requestedBy,
    'its reason': pendingUnseal?.reason,
    'approved by': pendingUnseal?.approvals.map(({ by }) => by),
    'void after': pendingUnseal?.expiresAt,
  });
}
