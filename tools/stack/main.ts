import { parseArgs } from 'node:util';
import { watchBuild } from './dev-watch';
import { STACK_SETTINGS } from './environment';
import { NOTHING_SHOWN, showEverything, type Beside } from './show/show';
import { startStack, type Stack } from './stack';
import { describeFailure } from './steps';
import { printWelcome } from './welcome';

const HURRY_AFTER_MS = 800;

/** Turns signals and the loss of the launcher into one orderly end of all stacks, and a later second signal into a quick one. */
class Ending implements Beside {
  private readonly controller = new AbortController();
  private readonly stacks = new Set<Stack>();
  /** What may be starting a stack that nobody has told of yet. */
  private show: Promise<unknown> = Promise.resolve();
  private askedAt: number | undefined;

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.ask());
    // The launcher holds the other end: when it is killed, this stack has no terminal any more and ends too.
    process.on('disconnect', () => this.ask());
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  started(stack: Stack): void {
    this.stacks.add(stack);
  }

  stopped(stack: Stack): void {
    this.stacks.delete(stack);
  }

  /** Waits for `show` too before everything has ended. */
  async during<T>(show: Promise<T>): Promise<T> {
    this.show = show;
    return show;
  }

  private ask(): void {
    if (this.askedAt === undefined) {
      this.askedAt = performance.now();
      console.log('\nStopping ...');
      this.controller.abort();
      if (this.stacks.size > 0) void this.stop();
    } else if (performance.now() - this.askedAt > HURRY_AFTER_MS) {
      for (const stack of this.stacks) void stack.abandon();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...[...this.stacks].map(stack => stack.stop()), this.show]);
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
    ending.started(stack);
    if (ending.signal.aborted) return await ending.stop();
    const shown = values['no-samples'] ? NOTHING_SHOWN : await ending.during(showEverything(stack, ending.signal, ending));
    if (ending.signal.aborted) return;
    printWelcome(stack, shown);
    if (values.watch) watchBuild(stack);
  } catch (error) {
    // What was started has been stopped again. The launcher's channel would keep this process alive.
    if (ending.signal.aborted) console.log('Everything that was started has ended.');
    else console.error(`\n${describeFailure(error)}\n`);
    process.exit(ending.signal.aborted ? 0 : 1);
  }
}

function usage(): string {
  const settings = STACK_SETTINGS.map(({ name, meaning, default: fallback }) => `  ${name.padEnd(26)} ${meaning} Default: ${fallback}.`);
  return [
    'npm start [-- options]   brings up the whole registry on this machine',
    '',
    '  --fresh        deletes the data of earlier runs first',
    '  --no-samples   does not publish the sample packs, and shows nothing with them',
    '  --help         prints this',
    '',
    'Settings by environment:',
    ...settings,
  ].join('\n');
}

void main();
