import { Command } from 'commander';
import type { CliContext } from '../../../terminal/cli-context';
import { exportCommand } from './export/export.command';
import { importCommand } from './import/import.command';
import { verifyKitCommand } from './verify/verify.command';

export function packMirrorCommand(context: CliContext): Command {
  const mirror = new Command('mirror').description('Offline kits: packs in one file, for registries that nothing else reaches');
  for (const command of [exportCommand, importCommand, verifyKitCommand]) mirror.addCommand(command(context));
  return mirror;
}
