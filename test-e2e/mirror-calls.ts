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

export async function ended(caller: Caller, job: MirrorJobView, withinMs = 15_000): Promise<MirrorJobView> {
  return eventually(async () => {
    const now = await jobOf(caller, job);
    expect(['succeeded', 'failed']).toContain(now.state);
    return now;
  }, withinMs);
}

export async function sync(caller: Caller, mirror: MirrorResponse, json?: object): Promise<MirrorJobView> {
  return ended(caller, await ask(caller, mirror, json));
}

/** The mirror's jobs once there are so many, newest first, and all have ended: after the pauses between attempts, too. */
export async function idle(caller: Caller, { id }: MirrorResponse, atLeast = 1, withinMs = 30_000): Promise<MirrorJobView[]> {
  return eventually(async () => {
    const { jobs } = (await caller.get<MirrorJobList>(`/api/mirrors/${id}/jobs`)).body;
    expect(jobs.length).toBeGreaterThanOrEqual(atLeast);
    expect(jobs.filter(job => job.state === 'queued' || job.state === 'running')).toEqual([]);
    return jobs;
  }, withinMs);
}

/** How the mirror stands, with the rows that say why. */
export async function parityOf(caller: Caller, { id }: MirrorResponse): Promise<MirrorParity & { readonly rows: readonly ParityRow[] }> {
  const { status, body } = await caller.get<ParityResponse>('/api/parity', { mirrorId: id });
  expect(status).toBe(200);
  const [one] = body.mirrors;
  if (!one) throw new Error('no parity of the mirror');
  return { ...one, rows: body.rows };
}
