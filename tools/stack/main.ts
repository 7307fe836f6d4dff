import { parseArgs } from 'node:util';
import { watchBuild } from './dev-watch';
import { STACK_SETTINGS } from './environment';
import { showSamples } from './show';
import { startStack, type Stack } from './stack';
import { describeFailure } from './steps';
import { printWelcome } from './welcome';

const HURRY_AFTER_MS = 800;

/** Turns signals and the loss of the launcher into one orderly end, and a later second signal into a quick one. */
class Ending {
  private readonly controller = new AbortController();
  private stack: Stack | undefined;
  private askedAt: number | undefined;

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.ask());
    // The launcher holds the other end: when it is killed, this stack has no terminal any more and ends too.
    process.on('disconnect', () => this.ask());
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  watch(stack: Stack): void {
    this.stack = stack;
    if (this.signal.aborted) void this.stop(stack);
  }

  private ask(): void {
    if (this.askedAt === undefined) {
      this.askedAt = performance.now();
      console.log('\nStopping ...');
      this.controller.abort();
      if (this.stack) void this.stop(this.stack);
    } else if (performance.now() - this.askedAt > HURRY_AFTER_MS) {
      void this.stack?.abandon();
    }
  }

  private async stop(stack: Stack): Promise<void> {
    await stack.stop();
    console.log('Everything that was started has ended. The data is kept.');
    process.exit(0);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      fresh: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      watch: { type: 'boolean', default: false },
      'no-samples': { type: 'boolean', default: false },
    },
  });
  if (values.help) return void console.log(usage());
  const ending = new Ending();
  try {
    const stack = await startStack({ fresh: values.fresh, restart: true, signal: ending.signal });
    ending.watch(stack);
    const samples = !values['no-samples'] && (await tryToShow(stack, ending.signal));
    if (ending.signal.aborted) return;
    printWelcome(stack, { samples });
    if (values.watch) watchBuild(stack);
  } catch (error) {
    // What was started has been stopped again. The launcher's channel would keep this process alive.
    if (ending.signal.aborted) console.log('Everything that was started has ended.');
    else console.error(`\n${describeFailure(error)}\n`);
    process.exit(ending.signal.aborted ? 0 : 1);
  }
}

/** True when the samples are published. That they cannot be, for a policy of the user perhaps, is no reason to take the registry down. */
async function tryToShow(stack: Stack, signal: AbortSignal): Promise<boolean> {
  try {
    return await showSamples(stack, signal);
  } catch (error) {
    if (!signal.aborted) console.error(`\n${describeFailure(error)}\nThe registry runs on.\n`);
    return false;
  }
}

function usage(): string {
  const settings = STACK_SETTINGS.map(({ name, meaning, default: fallback }) => `  ${name.padEnd(26)} ${meaning} Default: ${fallback}.`);
  return [
    'npm start [-- options]   brings up the whole registry on this machine',
    '',
    '  --fresh        deletes the data of earlier runs first',
    '  --no-samples   does not publish the sample packs',
    '  --help         prints this',
    '',
    'Settings by environment:',
    ...settings,
  ].join('\n');
}

void main();
