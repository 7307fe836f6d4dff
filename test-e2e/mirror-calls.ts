import type {
  MirrorJobList,
  MirrorJobView,
  MirrorParity,
  MirrorRequest,
  MirrorResponse,
  ParityResponse,
  ParityRow,
} from '@packs/contracts';
import { eventually } from '@packs/testing';
import type { Caller } from './caller';

const ENDED_WITHIN_MS = 15_000;

export async function addMirror(caller: Caller, settings: Partial<MirrorRequest> = {}): Promise<MirrorResponse> {
  const { status, body } = await caller.send<MirrorResponse>('POST', '/api/mirrors', {
    json: { name: 'north', kind: 'oci-layout', location: 'sites/north', ...settings },
  });
  expect([status, body]).toMatchObject([201, { tenant: caller.tenant, seq: 0, enabled: settings.enabled ?? true }]);
  return body;
}

export async function ask(caller: Caller, { id }: MirrorResponse, json?: object): Promise<MirrorJobView> {
  const { status, body, headers } = await caller.send<MirrorJobView>('POST', `/api/mirrors/${id}/sync`, { json });
  expect([status, headers.get('location')]).toEqual([202, `/api/mirrors/${id}/jobs/${body.id}`]);
  return body;
}

export async function jobOf(caller: Caller, job: MirrorJobView): Promise<MirrorJobView> {
  const { status, body } = await caller.get<MirrorJobView>(`/api/mirrors/${job.mirrorId}/jobs/${job.id}`);
  expect(status).toBe(200);
  return body;
}

export async function ended(caller: Caller, job: MirrorJobView, withinMs = ENDED_WITHIN_MS): Promise<MirrorJobView> {
  return eventually(async () => {
    const now = await jobOf(caller, job);
    expect(['succeeded', 'failed']).toContain(now.state);
    return now;
  }, withinMs);
}

export async function sync(caller: Caller, mirror: MirrorResponse, json?: object): Promise<MirrorJobView> {
  return ended(caller, await ask(caller, mirror, json));
}

/** The mirror's jobs once there are so many, newest first, and all have ended. */
export async function idle(caller: Caller, { id }: MirrorResponse, atLeast = 1): Promise<MirrorJobView[]> {
  const jobs = async () => (await caller.get<MirrorJobList>(`/api/mirrors/${id}/jobs`)).body.jobs;
  // Two waits: an event may be a while on its way, and attempts have pauses between them.
  await eventually(async () => expect((await jobs()).length).toBeGreaterThanOrEqual(atLeast));
  return eventually(async () => {
    const now = await jobs();
    expect(now.filter(job => job.state === 'queued' || job.state === 'running')).toEqual([]);
    return now;
  }, ENDED_WITHIN_MS);
}

/** How the mirror stands, with the rows that say why. */
export async function parityOf(caller: Caller, { id }: MirrorResponse): Promise<MirrorParity & { readonly rows: readonly ParityRow[] }> {
  const { status, body } = await caller.get<ParityResponse>('/api/parity', { mirrorId: id });
  expect(status).toBe(200);
  const [one] = body.mirrors;
  if (!one) throw new Error('no parity of the mirror');
  return { ...one, rows: body.rows };
}
