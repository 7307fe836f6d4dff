import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DomainError, PACK_TYPES, parsePackId, type PackType } from '@packs/domain';
import { Command, Option } from 'commander';
import type { CliContext } from '../../../terminal/cli-context';
import { packTemplate } from './pack-template';

interface InitOptions {
  readonly type: PackType;
  readonly id?: string;
}

export function initCommand(context: CliContext): Command {
  return new Command('init')
    .description('Writes the first files of a pack')
    .argument('[dir]', 'where', '.')
    .addOption(new Option('--type <type>', 'what kind of pack').choices(PACK_TYPES).default('task'))
    .option('--id <packId>', "its packId; absent: the folder's name")
    .action(async (dir: string, { type, id }: InitOptions) => {
      const packId = parsePackId(id ?? path.basename(path.resolve(dir)).toLowerCase());
      const files = packTemplate(type, packId);
      for (const { file } of files) await refuseExisting(path.join(dir, file));
      for (const { file, content, executable } of files) {
        const target = path.join(dir, file);
        await mkdir(path.dirname(target), { recursive: true });
        await writeFile(target, content, { flag: 'wx', mode: executable ? 0o755 : 0o644 });
        context.stderr.write(`wrote ${target}\n`);
      }
    });
}

async function refuseExisting(file: string): Promise<void> {
  const known = await stat(file).catch(() => undefined);
  if (known) throw new DomainError('ERR_PACK_CONFLICT', `${file} is already there`);
}
