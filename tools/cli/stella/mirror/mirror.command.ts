import { setTimeout as delay } from 'node:timers/promises';
import {
  MIRROR_KINDS,
  type MirrorJobList,
  type MirrorJobView,
  type MirrorList,
  type MirrorRequest,
  type MirrorResponse,
} from '@packs/contracts';
import { DomainError, PACK_TYPES, type PackType } from '@packs/domain';
import { Command, Option } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import { RegistryProblem } from '../../client/registry-problem';
import type { CliContext } from '../../terminal/cli-context';
import { collect, wholeNumber } from '../../terminal/option-values';
import { printFields, printRows, withOutput, type OutputOptions } from '../../terminal/output';

interface AddOptions extends OutputOptions {
  readonly name: string;
  readonly kind: MirrorRequest['kind'];
  readonly location: string;
  readonly channel?: readonly string[];
  readonly type?: readonly PackType[];
  readonly pack?: readonly string[];
  readonly tag?: readonly string[];
  readonly every?: number;
  readonly pull?: readonly string[];
  readonly range?: string;
  readonly newest?: number;
  readonly maxVersions?: number;
  readonly maxBytes?: number;
}

interface SyncOptions extends OutputOptions {
  readonly verify: boolean;
  readonly wait: boolean;
}

const MIRRORS = '/api/mirrors';
const POLL_MS = 200;

export function mirrorCommand(context: CliContext): Command {
  const mirror = new Command('mirror').description('Copies of packs at other places');
  withOutput(mirror.command('list').description('Lists the mirrors')).action(async (options: OutputOptions) => {
    const registry = await RegistryClient.open(context);
    const { mirrors } = await registry.get<MirrorList>(MIRRORS);
    printMirrors(context, options, { mirrors }, mirrors);
  });
  addCommand(mirror, context);
  syncCommand(mirror, context);
  withOutput(mirror.command('status').description('Shows a mirror and its last jobs'))
    .argument('<name>', 'its name or id')
    .action(async (name: string, options: OutputOptions) => {
      const registry = await RegistryClient.open(context);
      const found = await find(registry, name);
      const { jobs } = await registry.get<MirrorJobList>(`${MIRRORS}/${found.id}/jobs`, { limit: 10 });
      if (options.output === 'json') return printFields(context.stdout, options, { mirror: found, jobs }, {});
      printMirrors(context, options, found, [found]);
      context.stdout.write('\n');
      printRows(context.stdout, options, { jobs }, jobs, JOB_COLUMNS);
    });
  withOutput(mirror.command('remove').description('Forgets a mirror; what lies at its location stays'))
    .argument('<name>', 'its name or id')
    .action(async (name: string, options: OutputOptions) => {
      const registry = await RegistryClient.open(context);
      const { id } = await find(registry, name);
      await registry.request('DELETE', `${MIRRORS}/${id}`);
      printFields(context.stdout, options, { removed: id }, { removed: id });
    });
  return mirror;
}

function addCommand(mirror: Command, context: CliContext): void {
  withOutput(mirror.command('add').description('Adds a mirror'))
    .requiredOption('--name <name>', 'its name')
    .addOption(new Option('--kind <kind>', 'how it is laid out').choices(MIRROR_KINDS).default('oci-layout'))
    .requiredOption(
      '--location <place>',
      "a folder below the tenant's part of the mirror root, or <host>/<path> of a registry, ending with the tenant; any <host>[/<path>] to pull from",
    )
    .option('--pull <repository[=name]>', 'brings this repository in, under another name or the same; may be given more than once', collect)
    .option('--range <range>', 'of what is pulled the versions that satisfy a SemVer range')
    .option('--newest <n>', 'of the versions that are pulled the newest so many', wholeNumber(1))
    .option('--max-versions <n>', 'what one sync brings in at the most', wholeNumber(1))
    .option('--max-bytes <n>', 'bytes that one sync fetches at the most', wholeNumber(1))
    .option(
      '--channel <channel>',
      'only versions of this channel; of what is pulled, a tag that moves; may be given more than once',
      collect,
    )
    .addOption(new Option('--type <type...>', 'only packs of these types').choices(PACK_TYPES))
    .option('--pack <packId>', 'only this pack, or with a trailing * those that begin so; may be given more than once', collect)
    .option(
      '--tag <tag>',
      'only versions with this tag; of what is pulled, this tag, or those that begin so with a trailing *; may be given more than once',
      collect,
    )
    .option('--every <seconds>', 'sync also by the clock', wholeNumber(60))
    .action(async (options: AddOptions) => {
      const { name, kind, location, channel: channels, type, pack: packIds, tag: tags, every } = options;
      const selection = { channels: list(channels), types: list(type), packIds: list(packIds), tags: list(tags) };
      const what = options.pull ? { kind: 'registry', pull: pullOf(options) } : { kind, selection };
      const registry = await RegistryClient.open(context);
      const added = await registry.post<MirrorResponse>(MIRRORS, { name, location, ...what, intervalSeconds: every ?? null });
      printMirrors(context, options, added, [added]);
    });
}

/** One choice of tags for all that is pulled. */
function pullOf({ pull = [], tag, channel, range, newest, maxVersions, maxBytes }: AddOptions) {
  const choice = { tags: list(tag), channels: list(channel), range, newest };
  const repositories = pull.map(text => {
    const [repository = '', as] = text.split('=', 2);
    return { repository, as, ...choice };
  });
  return { repositories, maxVersions, maxBytes };
}

function syncCommand(mirror: Command, context: CliContext): void {
  withOutput(mirror.command('sync').description('Syncs a mirror now and waits until it is done'))
    .argument('<name>', 'its name or id')
    .option('--verify', 'read every byte at the mirror again and repair what differs', false)
    .option('--no-wait', 'return at once')
    .action(async (name: string, options: SyncOptions) => {
      const registry = await RegistryClient.open(context);
      const { id } = await find(registry, name);
      let job = await registry.post<MirrorJobView>(`${MIRRORS}/${id}/sync`, { verify: options.verify });
      while (options.wait && (job.state === 'queued' || job.state === 'running')) {
        await delay(POLL_MS);
        job = await registry.get<MirrorJobView>(`${MIRRORS}/${id}/jobs/${job.id}`);
      }
      printRows(context.stdout, options, job, [job], JOB_COLUMNS);
      if (options.output !== 'json') for (const skip of job.skipped) context.stderr.write(`${skipLine(skip)}\n`);
      if (job.state === 'failed') {
        throw new RegistryProblem(
          502,
          job.error?.code ?? 'ERR_PACK_INTERNAL',
          `the sync failed: ${job.error?.message ?? 'for an unknown reason'}`,
          [],
        );
      }
    });
}

function skipLine({ packId, version, code, reason }: MirrorJobView['skipped'][number]): string {
  return `skipped ${packId} ${version}: ${code}${reason === undefined ? '' : ` (${reason})`}`;
}

const JOB_COLUMNS = [
  ['JOB', (job: MirrorJobView) => job.id],
  ['STATE', (job: MirrorJobView) => (job.nextAttemptAt ? 'waiting' : job.state)],
  ['CAUSE', (job: MirrorJobView) => job.cause],
  ['VERSIONS', (job: MirrorJobView) => `${job.progress.versions}/${job.progress.totalVersions}`],
  ['COPIED', (job: MirrorJobView) => job.progress.copiedBytes],
  ['REPAIRED', (job: MirrorJobView) => job.progress.repaired],
  ['SKIPPED', (job: MirrorJobView) => job.progress.skipped],
  ['FINISHED', (job: MirrorJobView) => job.finishedAt],
  ['ERROR', (job: MirrorJobView) => job.error?.code],
] as const;

function printMirrors(context: CliContext, options: OutputOptions, json: unknown, mirrors: readonly MirrorResponse[]): void {
  printRows(context.stdout, options, json, mirrors, [
    ['NAME', mirror => mirror.name],
    ['ID', mirror => mirror.id],
    ['KIND', mirror => mirror.kind],
    ['DIRECTION', mirror => (mirror.pull ? 'pull' : 'push')],
    ['LOCATION', mirror => mirror.location],
    ['ENABLED', mirror => mirror.enabled],
    ['SYNCED', mirror => mirror.syncedAt ?? '(never)'],
    ['PENDING SINCE', mirror => mirror.pendingSince],
  ]);
}

async function find(registry: RegistryClient, name: string): Promise<MirrorResponse> {
  const { mirrors } = await registry.get<MirrorList>(MIRRORS);
  const found = mirrors.find(mirror => mirror.name === name || mirror.id === name);
  if (!found) throw new DomainError('ERR_MIRROR_NOT_FOUND', `no mirror is named ${name}`);
  return found;
}

function list<T>(values: readonly T[] | undefined): readonly T[] | undefined {
  return values && values.length > 0 ? values : undefined;
}
