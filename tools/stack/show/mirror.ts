import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MirrorJobView, MirrorList, MirrorResponse, ParityCheckView, ParityResponse } from '@packs/contracts';
import { shown } from '../stella-command';
import { StepError } from '../step-error';
import type { Show } from './show';

const NAME = 'local';
const SETTINGS = { name: NAME, kind: 'oci-layout', location: NAME };

/** A mirror of everything the tenant has, in a folder, and its comparison with the registry. */
export async function showMirror(show: Show): Promise<void> {
  const { admin, steps } = show;
  const { mirrors } = await admin.get<MirrorList>('/mirrors');
  const known = mirrors.find(({ name }) => name === NAME);
  if (known && !known.enabled) return steps.say(`  mirror ${NAME} is switched off`);
  if (!known || known.syncedAt === null || known.pendingSince !== null) return compare(show, await sync(show, known));
  steps.say(`  mirror ${NAME} is synced already`);
  const [parity] = (await admin.get<ParityResponse>(`/parity?mirrorId=${known.id}`)).mirrors;
  if (parity?.inStep) return steps.say(`  mirror ${NAME} is in step already`);
  await compare(show, known);
}

async function sync({ stack, admin, steps }: Show, known: MirrorResponse | undefined): Promise<MirrorResponse> {
  return steps.run('mirror', async note => {
    const mirror = known ?? (await admin.post<MirrorResponse>('/mirrors', SETTINGS));
    const { id, tenant, location } = mirror;
    const asked = await admin.post<MirrorJobView>(`/mirrors/${id}/sync`, {});
    const job = await admin.until<MirrorJobView, MirrorJobView>(`/mirrors/${id}/jobs/${asked.id}`, `the end of sync ${asked.id}`, ended);
    if (job.state === 'failed')
      throw new StepError(`the sync of mirror ${NAME} failed: ${job.error?.message}`, 'Read the log of mirror-worker.');
    const root = stack.mirrorRoot.startsWith('file:') ? fileURLToPath(stack.mirrorRoot) : stack.mirrorRoot;
    note(`OCI image layout in ${shown(join(root, tenant, location))}, ${job.progress.versions} versions synced`);
    return mirror;
  });
}

async function compare({ admin, steps }: Show, { id: mirrorId }: MirrorResponse): Promise<void> {
  await steps.run('parity', async note => {
    const asked = await admin.post<ParityCheckView>('/parity/checks', { mirrorId });
    const check = await admin.until<ParityCheckView, ParityCheckView>(`/parity/checks/${asked.id}`, `the end of check ${asked.id}`, ended);
    if (check.state === 'failed') throw new StepError(`the comparison failed: ${check.error?.message}`, 'Read the log of parity-worker.');
    // A user who altered the mirror is told so; it is no failure of the registry.
    const what = check.inStep ? 'is in step' : 'is OUT OF STEP (`npx stella parity show` says where)';
    note(`mirror ${NAME} ${what}: ${check.progress.versions} versions compared, every byte`);
  });
}

function ended<Job extends { readonly state: string }>(job: Job): Job | undefined {
  return job.state === 'queued' || job.state === 'running' ? undefined : job;
}
