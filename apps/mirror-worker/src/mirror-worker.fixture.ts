import type { EventEnvelope, MirrorJob, MirrorRecord, Selection } from '@packs/contracts';
import { MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import {
  Inbox,
  MirrorJobStore,
  MirrorQueue,
  MirrorStore,
  MirrorUnitOfWork,
  Outbox,
  PackInventory,
  type BlobStore,
  type HeldJob,
  type InventoryBlob,
  type InventoryHead,
  type InventoryVersion,
  type JobCause,
  type MirrorChange,
  type MirrorObject,
  type MirrorTx,
  type SettlingTx,
  type SyncCounts,
  type SyncOutcome,
} from '@packs/ports';

const AT = '2026-01-17T08:00:00.000Z';

export function aMirror(changes: Partial<MirrorRecord> = {}): MirrorRecord {
  return {
    id: '01KF5B4M7N0000000000000001',
    tenant: 'acme',
    name: 'north',
    kind: 'oci-layout',
    location: 'north',
    selection: {},
    intervalSeconds: null,
    enabled: true,
    createdAt: AT,
    createdBy: 'client:x',
    updatedAt: AT,
    updatedBy: 'client:x',
    seq: 0,
    stateDigest: null,
    syncedAt: null,
    pendingSince: null,
    needsVerify: false,
    ...changes,
  };
}

export function aHeldJob(changes: Partial<HeldJob> = {}): HeldJob {
  return {
    id: 'job',
    tenant: 'acme',
    mirrorId: aMirror().id,
    owner: 'me',
    verify: false,
    attempt: 1,
    requestedBy: 'client:x',
    source: null,
    ...changes,
  };
}

export function anEvent(type: string, data: object = {}, id = 'evt_1'): EventEnvelope {
  return {
    ...{ specversion: '1.0', id, source: '/packs-registry/publisher', type, subject: '', time: AT, datacontenttype: 'application/json' },
    data: {
      id,
      type,
      packId: 'hello',
      version: '1.0.0',
      actor: 'client:x',
      tenant: 'acme',
      source: null,
      signatures: [],
      metadataHash: sha256(''),
      ...data,
    },
  };
}

class FakeInbox extends Inbox {
  private readonly seen = new Set<string>();

  register(consumer: string, messageId: string): Promise<boolean> {
    const key = `${consumer}/${messageId}`;
    return Promise.resolve(!this.seen.has(key) && this.seen.add(key) !== undefined);
  }
}

class FakeOutbox extends Outbox {
  readonly events: EventEnvelope[] = [];

  append(event: EventEnvelope): Promise<void> {
    this.events.push(event);
    return Promise.resolve();
  }
}

/** Mirrors and jobs in memory. What fails is not rolled back. */
export class FakeMirrors extends MirrorUnitOfWork implements MirrorTx {
  readonly inbox = new FakeInbox();
  readonly outbox = new FakeOutbox();
  readonly enqueued: (JobCause & { readonly mirrorId: string })[] = [];
  readonly verifyDemanded: string[] = [];
  readonly seal = { hold: () => Promise.resolve(false) };
  readonly mirrors: MirrorStore;
  readonly jobs: MirrorJobStore;

  constructor(readonly records: MirrorRecord[] = []) {
    super();
    this.mirrors = new FakeMirrorStore(this);
    this.jobs = new FakeJobStore(this);
  }

  run<T>(_tenant: string, work: (tx: MirrorTx) => Promise<T>): Promise<T> {
    return work(this);
  }
}

class FakeMirrorStore extends MirrorStore {
  constructor(private readonly all: FakeMirrors) {
    super();
  }

  lock = (): Promise<void> => Promise.resolve();
  list = (tenant: string): Promise<MirrorRecord[]> => Promise.resolve(this.all.records.filter(one => one.tenant === tenant));
  find = (tenant: string, id: string): Promise<MirrorRecord | undefined> =>
    Promise.resolve(this.all.records.find(one => one.tenant === tenant && one.id === id));

  add(tenant: string, id: string, { settings, actor }: MirrorChange): Promise<MirrorRecord> {
    const added = aMirror({ ...settings, tenant, id, createdBy: actor, updatedBy: actor });
    this.all.records.push(added);
    return Promise.resolve(added);
  }

  async update(tenant: string, id: string, change: MirrorChange): Promise<MirrorRecord> {
    await this.remove(tenant, id);
    return this.add(tenant, id, change);
  }

  remove(_tenant: string, id: string): Promise<void> {
    this.all.records.splice(
      this.all.records.findIndex(one => one.id === id),
      1,
    );
    return Promise.resolve();
  }

  demandVerify(_tenant: string, id: string): Promise<void> {
    this.all.verifyDemanded.push(id);
    return Promise.resolve();
  }
}

class FakeJobStore extends MirrorJobStore {
  constructor(private readonly all: FakeMirrors) {
    super();
  }

  enqueue(_tenant: string, mirrorId: string, cause: JobCause): Promise<MirrorJob> {
    this.all.enqueued.push({ ...cause, mirrorId });
    return Promise.resolve({ id: `job-${this.all.enqueued.length}`, mirrorId } as MirrorJob);
  }

  running = (): Promise<undefined> => Promise.resolve(undefined);
  hurry = (): Promise<void> => Promise.resolve();
  cancel = (): Promise<void> => Promise.resolve();
}

/** Says what a job came to. */
export class FakeQueue extends MirrorQueue {
  renewals = 0;
  renewal: () => Promise<void> = () => Promise.resolve();
  readonly copies = new Map<string, Digest>();
  readonly counts: SyncCounts[] = [];
  readonly ends: unknown[] = [];
  readonly outbox = new FakeOutbox();

  constructor(private readonly mirror = aMirror()) {
    super();
  }

  claim = (): Promise<undefined> => Promise.resolve(undefined);

  renew(): Promise<void> {
    this.renewals += 1;
    return this.renewal();
  }

  copiesOf = (_job: HeldJob, paths: readonly string[]): Promise<ReadonlyMap<string, Digest>> =>
    Promise.resolve(new Map([...this.copies].filter(([path]) => paths.includes(path))));

  progress(_job: HeldJob, copies: readonly MirrorObject[], counts: SyncCounts): Promise<void> {
    for (const { path, digest } of copies) this.copies.set(path, digest);
    this.counts.push(counts);
    return Promise.resolve();
  }

  forget(_job: HeldJob, paths: readonly string[]): Promise<void> {
    for (const path of paths) this.copies.delete(path);
    return Promise.resolve();
  }

  settle(_job: HeldJob, work: (tx: SettlingTx) => Promise<void>): Promise<void> {
    const end = (what: object): Promise<MirrorRecord> => {
      this.ends.push(what);
      return Promise.resolve({ ...this.mirror, seq: this.mirror.seq + 1 });
    };
    return work({
      succeed: (outcome: SyncOutcome) => end({ succeeded: outcome.counts }),
      fail: error => end({ failed: error.code }),
      outbox: this.outbox,
    });
  }

  retryLater(_job: HeldJob, error: { code: string }, delayMs: number): Promise<void> {
    this.ends.push({ retry: error.code, delayMs });
    return Promise.resolve();
  }

  release(): Promise<void> {
    this.ends.push('released');
    return Promise.resolve();
  }

  enqueueDue = (): Promise<number> => Promise.resolve(0);
  backlog = (): Promise<{ depth: number; lagSeconds: number }> => Promise.resolve({ depth: 0, lagSeconds: 0 });
}

export class FakeInventory extends PackInventory {
  channelHeads: InventoryHead[] = [];

  constructor(readonly all: InventoryVersion[] = []) {
    super();
  }

  async *versions(): AsyncIterable<InventoryVersion> {
    yield* this.all;
  }

  heads = (): Promise<InventoryHead[]> => Promise.resolve(this.channelHeads);
  includes = (_tenant: string, { packIds }: Selection, packId: string): Promise<boolean> =>
    Promise.resolve(packIds?.includes(packId) ?? true);
  size = (): Promise<{ versions: number; bytes: number }> => Promise.resolve({ versions: this.all.length, bytes: 0 });
}

/** A version whose blobs lie in the store. */
export async function aStoredVersion(store: BlobStore, packId: string, changes: Partial<InventoryVersion> = {}): Promise<InventoryVersion> {
  const blob = async (what: string, mediaType: string): Promise<InventoryBlob> => {
    const bytes = Buffer.from(`${what} of ${packId}`);
    return { ...(await store.write(once(bytes), { maxBytes: bytes.length })), mediaType };
  };
  const bundle = await blob('bundle', MEDIA_TYPES.packBundle);
  const signature = await blob('signature', MEDIA_TYPES.sigstoreBundle);
  const signatureManifest = await blob('signature manifest', MEDIA_TYPES.ociManifest);
  return {
    ...{
      tenant: 'acme',
      packId,
      version: '1.0.0',
      type: 'task',
      channels: ['edge'],
      lifecycle: 'active',
      deprecation: null,
      publishedAt: AT,
    },
    digest: bundle.digest,
    manifest: await blob('manifest', MEDIA_TYPES.ociManifest),
    blobs: [await blob('config', MEDIA_TYPES.packConfig), bundle],
    referrers: [
      { manifest: { ...signatureManifest, artifactType: signature.mediaType }, blobs: [signature], kind: 'signature', verification: null },
    ],
    visibility: [],
    verification: {
      epoch: 1,
      channel: 'edge',
      policy: null,
      signatures: [{ ...signature, mediaType: MEDIA_TYPES.sigstoreBundle }],
      trust: { epoch: 1, digest: sha256('trust'), material: null },
    },
    ...changes,
  };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
