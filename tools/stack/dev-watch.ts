import { watch } from 'chokidar';
import type { ProcessName } from '@packs/contracts';
import { affectedBy } from './affected-processes';
import { builtFile } from './repository-root';
import type { PartName, Stack } from './stack';

const SETTLE_MS = 300;

/** Restarts a process when its own code or a library changed in dist/. */
export function watchBuild(stack: Stack): void {
  const pending = new Set<ProcessName>();
  let timer: NodeJS.Timeout | undefined;
  let busy: Promise<void> = Promise.resolve();
  const flush = () => {
    const names = [...pending];
    pending.clear();
    // One round after another: a change during a restart leads to a restart after it.
    const parts = names.flatMap<PartName>(name => (name === 'api-gateway' ? stack.gateways : name));
    busy = busy.then(() => Promise.all(parts.map(part => restart(stack, part)))).then(() => undefined);
  };
  watch([builtFile('apps'), builtFile('libs')], { ignoreInitial: true }).on('all', (_event, path) => {
    if (!path.endsWith('.js')) return;
    for (const name of affectedBy(path)) pending.add(name);
    clearTimeout(timer);
    timer = setTimeout(flush, SETTLE_MS);
  });
  console.log('Watching: a process restarts when its code changes.');
}

async function restart(stack: Stack, name: PartName): Promise<void> {
  const process = stack.process(name);
  const started = performance.now();
  try {
    await process.stop();
    await process.start();
    console.log(`${name} restarted, ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    console.error(`${name} does not start: ${error instanceof Error ? error.message : String(error)}\nIt starts again at the next change.`);
  }
}
