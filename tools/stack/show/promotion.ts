import type { PackChannels } from '@packs/contracts';
import { StepError } from '../step-error';
import { readSamples } from './sample-packs';
import { PUBLISHER } from './samples';
import type { Show } from './show';

/** What the kit will hold: promoted versions of this channel. */
export const CHANNEL = 'stable';

const PACK_ID = 'policy-baseline';

export interface PromotedPack {
  readonly packId: string;
  readonly version: string;
}

/** Points channel stable at a sample, unless it points somewhere already. */
export async function showPromotion({ admin, steps, as }: Show): Promise<PromotedPack> {
  const { channels } = await admin.get<PackChannels>(`/packs/${PACK_ID}/channels`);
  const head = channels.find(({ channel }) => channel === CHANNEL);
  if (head) {
    steps.say(`  ${PACK_ID} ${head.version} is in ${CHANNEL} already`);
    return { packId: PACK_ID, version: head.version };
  }
  const sample = readSamples().find(({ packId }) => packId === PACK_ID);
  if (!sample) throw new StepError(`there is no sample ${PACK_ID}.`, 'This checkout lacks it; update it.');
  const { packId, version } = sample;
  await steps.run('promotion', async note => {
    const publisher = await as(PUBLISHER);
    await publisher.run('pack', 'promote', `${packId}@${version}`, '--channel', CHANNEL);
    note(`${packId} ${version} is in ${CHANNEL}`);
  });
  return { packId, version };
}
