import { Command } from 'commander';
import type { CliContext } from '../terminal/cli-context';
import { adopt, prepare } from '../terminal/run-program';
import { CLI_VERSION } from '../version';
import { auditCommand } from './audit/audit.command';
import { channelCommand } from './channel/channel.command';
import { complianceCommand } from './compliance/compliance.command';
import { exporterCommand } from './exporter/exporter.command';
import { helpCommand } from './help/help.command';
import { keyCommand } from './key/key.command';
import { loginCommand } from './login/login.command';
import { logoutCommand } from './logout/logout.command';
import { mirrorCommand } from './mirror/mirror.command';
import { parityCommand } from './parity/parity.command';
import { packCommand } from './pack/pack.command';
import { policyCommand } from './policy/policy.command';
import { registryCommand } from './registry/registry.command';
import { reverifyCommand } from './reverify/reverify.command';
import { scanningCommand } from './scanning/scanning.command';
import { trustCommand } from './trust/trust.command';
import { verifyBundleCommand } from './verify-bundle/verify-bundle.command';
import { whoamiCommand } from './whoami/whoami.command';

/** The `stella` command line. */
export function stellaProgram(context: CliContext): Command {
  const program = prepare(new Command('stella'), context)
    .description('Makes, signs, publishes and fetches packs')
    .version(CLI_VERSION)
    .helpCommand(false);
  const commands = [
    loginCommand,
    logoutCommand,
    whoamiCommand,
    keyCommand,
    packCommand,
    channelCommand,
    mirrorCommand,
    parityCommand,
    trustCommand,
    reverifyCommand,
    exporterCommand,
    policyCommand,
    scanningCommand,
    auditCommand,
    complianceCommand,
    registryCommand,
    verifyBundleCommand,
  ];
  adopt(
    program,
    [...commands, helpCommand].map(command => command(context)),
  );
  return program;
}
