import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivateFile } from '../private-file';
import type { Stack } from '../stack';
import { shown } from '../stella-command';
import type { Note } from '../steps';
import { showArrival } from './arrival';
import { makeKit, type Kit } from './kit';
import type { PromotedPack } from './promotion';
import { siteDataDir, startSite } from './sealed-stack';
import type { Show } from './show';

/** Carries the channel's packs to a second registry as one signed file, unless it has them from an earlier start. */
export async function showSite(show: Show, pack: PromotedPack): Promise<void> {
  const { stack, steps } = show;
  // Written when the second registry has shown that it has what the kit brought.
  const record = join(siteDataDir(stack), 'imported.json');
  if (existsSync(record)) {
    const { generation } = JSON.parse(readFileSync(record, 'utf8')) as Pick<Kit, 'generation'>;
    return steps.say(`  kit of generation ${generation} is imported already, by the sealed registry in ${shown(siteDataDir(stack))}`);
  }
  // At the same time: neither needs the other.
  const starting = steps.run('second registry', note => start(show, note));
  const [making, started] = await Promise.allSettled([makeKit(show), starting]);
  try {
    const [kit, site] = [valueOf(making), valueOf(started)];
    await showArrival(show, { kit, site, pack });
    writePrivateFile(record, `${JSON.stringify({ generation: kit.generation })}\n`);
  } finally {
    if (started.status === 'fulfilled') await steps.run('second registry', note => stop(show, started.value, note));
  }
}

async function start(show: Show, note: Note): Promise<Stack> {
  const site = await startSite(show);
  note(`${site.gatewayUrl}, data in ${shown(site.dataDir)}`);
  return site;
}

async function stop({ beside }: Show, site: Stack, note: Note): Promise<void> {
  await site.stop();
  beside.stopped(site);
  note('stopped, its data is kept');
}

function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}
