import { Command } from 'commander';
import type { CliContext } from '../../terminal/cli-context';
import { archiveCommand } from './archive/archive.command';
import { attestCommand } from './attest/attest.command';
import { attestationsCommand } from './attestations/attestations.command';
import { buildCommand } from './build/build.command';
import { contestCommand } from './contest/contest.command';
import { deprecateCommand } from './deprecate/deprecate.command';
import { eventsCommand } from './events/events.command';
import { evidenceCommand } from './evidence/evidence.command';
import { initCommand } from './init/init.command';
import { listCommand } from './list/list.command';
import { packMirrorCommand } from './mirror/mirror.command';
import { promoteCommand } from './promote/promote.command';
import { provenanceCommand } from './provenance/provenance.command';
import { pullCommand } from './pull/pull.command';
import { pushCommand } from './push/push.command';
import { rotateSignatureCommand } from './rotate-signature/rotate-signature.command';
import { showCommand } from './show/show.command';
import { signCommand } from './sign/sign.command';
import { signaturesCommand } from './signatures/signatures.command';
import { validateCommand } from './validate/validate.command';
import { verifyCommand } from './verify/verify.command';

export function packCommand(context: CliContext): Command {
  const pack = new Command('pack').description('Packs, on this machine and in the registry');
  const local = [initCommand, validateCommand, buildCommand, signCommand];
  const remote = [
    pushCommand,
    listCommand,
    showCommand,
    pullCommand,
    verifyCommand,
    attestCommand,
    attestationsCommand,
    contestCommand,
    provenanceCommand,
    evidenceCommand,
    promoteCommand,
    rotateSignatureCommand,
    signaturesCommand,
    deprecateCommand,
    archiveCommand,
    eventsCommand,
    packMirrorCommand,
  ];
  for (const command of [...local, ...remote]) pack.addCommand(command(context));
  return pack;
}
