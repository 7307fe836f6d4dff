import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PackList, SealView } from '@packs/contracts';
import { RegistryApi } from '../registry-api';
import type { Stack } from '../stack';
import { StellaCommand } from '../stella-command';
import { StepError } from '../step-error';
import type { Kit } from './kit';
import type { PromotedPack } from './promotion';
import { readSamples } from './sample-packs';
import { buildSigned, publicKeyFile, sha256Of } from './samples';
import type { Show } from './show';

interface Carried {
  readonly kit: Kit;
  readonly site: Stack;
  /** One of the versions that the kit holds. */
  readonly pack: PromotedPack;
}

/** The kit comes into the sealed registry, its pack out of it again, and nothing else in. */
export async function showArrival(show: Show, carried: Carried): Promise<void> {
  const { steps, signal } = show;
  const stella = new StellaCommand(carried.site, 'acme-admin', text => steps.say(text), signal);
  await bringIn(show, stella, carried);
  await fetch(show, stella, carried);
  await refuse(show, stella, carried);
}

async function bringIn({ steps, signal }: Show, stella: StellaCommand, { kit, site }: Carried): Promise<void> {
  const admin = await RegistryApi.login(site, 'acme-admin', signal);
  const packs = async () => (await admin.get<PackList>('/packs')).packs.length;
  await steps.run('import', async note => {
    const { sealed, by } = await admin.get<SealView>('/sealed');
    if (!sealed) throw new StepError('the second registry is not sealed.', 'Read its logs.');
    note(`sealed by ${by}, packs before: ${await packs()}`);
    await stella.login();
    await stella.run('pack', 'mirror', 'import', kit.file, '--accept-trust');
    note(`after: ${await packs()}`);
  });
}

async function fetch({ stack, admin, steps }: Show, stella: StellaCommand, { site, pack: { packId, version } }: Carried): Promise<void> {
  await steps.run('fetched there', async note => {
    const file = join(site.dataDir, `${packId}-${version}.tgz`);
    await stella.run('pack', 'pull', `${packId}@${version}`, '--out', file, '--key', publicKeyFile(stack));
    const [here, there] = [await admin.bundleDigest(packId, version), await sha256Of(file)];
    if (here !== there) throw new StepError(`${packId} ${version} arrived as ${there}; here it is ${here}.`, 'Read its logs.');
    note(`${packId} ${version}, signature checked, the same digest ${there.slice(0, 19)}...`);
  });
}

async function refuse({ stack, steps }: Show, stella: StellaCommand, { pack }: Carried): Promise<void> {
  await steps.run('publish there', async note => {
    const sample = readSamples().find(({ packId }) => packId !== pack.packId);
    if (!sample) throw new StepError('there is no second sample.', 'This checkout lacks it; update it.');
    const built = join(stack.dataDir, 'samples', `${sample.packId}-${sample.version}.tgz`);
    const bundle = existsSync(built) ? built : await buildSigned(stack, stella, sample);
    const { stderr } = await stella.try('pack', 'push', bundle);
    const refusal = /ERR_PACK_SEALED/.exec(stderr)?.[0];
    if (!refusal) throw new StepError(`the sealed registry did not refuse ${sample.packId} as sealed: ${stderr.trim()}`, 'Read its logs.');
    note(`${sample.packId} ${sample.version} is refused with ${refusal}`);
  });
}
