import { setTimeout as delay } from 'node:timers/promises';
import type { Caller } from './caller';
import { aPackArtifact, aSignatureOf, anImage, type OciArtifact } from './oci-content';
import { LoggingCaller, type Act, type Exchange, type Standing } from './oci-log';
import { OciPushingClient } from './oci-pushing-client';
import { aBundle, aManifest } from './pack-bundle';
import type { SigningKey } from './signing-key';

/** All images lie in one repository, each client with tags of its own. */
const IMAGES = 'team/images';
const TAGS = 3;
const CHUNK = 64 * 1024;
/** Readers leave the machine to those who push, and to processes that start. */
const READ_PAUSE_MS = 100;
const SWEEPERS = 8;

export interface Readers {
  readonly writer: Caller;
  readonly reader: Caller;
  readonly partner: Caller;
  readonly stranger: Caller;
}

type Pushed = Extract<Act, { act: 'push-blob' | 'push-manifest' }>;

/** Clients that push and read back without an end, and what all of them saw. */
export class OciWorkload {
  readonly log: Exchange[] = [];
  /** What was not acknowledged to a client that had no patience, to be pushed again. */
  private readonly open: (() => Promise<boolean>)[] = [];
  private readonly readers: readonly LoggingCaller[];
  private readonly pushing: OciPushingClient[] = [];
  private running = true;
  private workers: Promise<void>[] = [];
  acknowledged = 0;

  constructor(
    private readonly callers: Readers,
    private readonly keys: { readonly trusted: SigningKey; readonly untrusted: SigningKey },
    private readonly random: () => number,
  ) {
    this.readers = (Object.keys(callers) as Standing[]).map(standing => this.logging(`${standing} reads`, standing));
  }

  /** Requests of clients that push. */
  get inFlight(): number {
    return this.pushing.reduce((sum, { as }) => sum + as.inFlight, 0);
  }

  start(): void {
    for (const name of ['a', 'b', 'c']) this.workers.push(this.pushImages(name));
    for (const name of ['d', 'e']) this.workers.push(this.pushPacks(name));
    for (const reader of this.readers) this.workers.push(this.readAlong(reader));
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.workers);
  }

  /**
   * Pushes again whatever was left open, one after the other: of two that give a tag at the same time either may be the last.
   * @returns how many of them were still refused
   */
  async pushAgain(): Promise<number> {
    let refused = 0;
    for (const push of this.open) if (!(await push())) refused += 1;
    return refused;
  }

  /** Everybody reads everything that was ever pushed. */
  async readAll(): Promise<void> {
    const seen = new Set<string>();
    const todo: (() => Promise<unknown>)[] = [];
    for (const about of this.pushes()) {
      for (const act of readsOf(about)) {
        if (seen.size === seen.add(JSON.stringify(act)).size) continue;
        todo.push(...this.readers.map(reader => () => this.read(reader, act)));
      }
    }
    await Promise.all(
      Array.from({ length: SWEEPERS }, async () => {
        for (let next = todo.shift(); next; next = todo.shift()) await next();
      }),
    );
  }

  private logging(name: string, standing: Standing): LoggingCaller {
    return new LoggingCaller(name, standing, this.callers[standing], this.log);
  }

  private client(name: string): OciPushingClient {
    const client = new OciPushingClient(this.logging(name, 'writer'), this.callers.writer.tenant);
    this.pushing.push(client);
    return client;
  }

  private async pushImages(name: string): Promise<void> {
    const client = this.client(name);
    for (let number = 0; this.running; number++) {
      const layers = [this.filler(`${name}${number}-`), this.filler(`${name}${number}+`)];
      const image = anImage(`${name}-${number}`, layers);
      const tag = this.random() < 0.6 ? `${name}-${number % TAGS}` : null;
      const isDone = await this.attempt(client, patient => patient.push(IMAGES, image, tag, {}, CHUNK));
      if (isDone) await this.readBack(client.as, IMAGES, image, tag);
      const dice = this.random();
      if (tag !== null && dice < 0.25) await this.attempt(client, patient => patient.deleteTag(IMAGES, tag), false);
      if (tag === null && dice < 0.25 && isDone) await this.attempt(client, patient => patient.deleteManifest(IMAGES, image.digest), false);
    }
  }

  private async pushPacks(name: string): Promise<void> {
    const client = this.client(name);
    for (let number = 0; this.running; number++) {
      const [packId, version] = [`pack-${name}${number % 3}`, `1.${number}.0`];
      const manifest = aManifest(packId, version, { metadata: { tenantVisibility: [this.callers.partner.tenant] } });
      const pack = aPackArtifact(aBundle(manifest, [{ path: 'filler', content: this.filler(version) }]));
      const tag = this.random() < 0.7 ? version : null;
      if (!(await this.attempt(client, patient => patient.push(packId, pack, tag, { version }, CHUNK)))) continue;
      await this.readBack(client.as, packId, pack, tag);
      const dice = this.random();
      if (dice > 0.85) continue;
      const isTrusted = dice < 0.7;
      const signature = aSignatureOf(pack, isTrusted ? this.keys.trusted : this.keys.untrusted);
      await this.attempt(client, patient => patient.push(packId, signature, null, isTrusted ? { signs: pack.digest } : {}));
    }
  }

  /** Every fifth is tried once; what is worth it is pushed again when all is over. */
  private async attempt(
    client: OciPushingClient,
    push: (client: OciPushingClient) => Promise<boolean>,
    isRepeated = true,
  ): Promise<boolean> {
    client.patient = this.random() > 0.2;
    const isDone = await push(client);
    if (isDone) this.acknowledged += 1;
    else if (isRepeated) {
      const again = new OciPushingClient(client.as, client.namespace);
      this.open.push(() => push(again));
    }
    return isDone;
  }

  private async readBack(as: LoggingCaller, repository: string, { digest, blobs }: OciArtifact, tag: string | null): Promise<void> {
    const { tenant } = this.callers.writer;
    await as.readManifest(tenant, repository, digest);
    if (tag !== null) await as.readTag(tenant, repository, tag);
    for (const blob of blobs) await as.readBlob(tenant, repository, blob.digest);
  }

  private async readAlong(reader: LoggingCaller): Promise<void> {
    for (; this.running; await delay(READ_PAUSE_MS)) {
      const pushes = this.pushes();
      const about = pushes[Math.floor(this.random() * pushes.length)];
      if (!about) continue;
      for (const act of readsOf(about)) await this.read(reader, act);
    }
  }

  private async read(reader: LoggingCaller, act: Act): Promise<void> {
    const { tenant } = this.callers.writer;
    if (act.act === 'read-tag') await reader.readTag(tenant, act.repository, act.tag);
    if (act.act === 'read-manifest') await reader.readManifest(tenant, act.repository, act.digest);
    if (act.act === 'read-blob') await reader.readBlob(tenant, act.repository, act.digest);
  }

  private pushes(): Pushed[] {
    return this.log
      .map(({ about }) => about)
      .filter((about): about is Pushed => about.act === 'push-blob' || about.act === 'push-manifest');
  }

  /** Mostly small; now and then of many chunks. */
  private filler(text: string): Buffer {
    return Buffer.alloc(text.length + Math.floor(this.random() ** 4 * 1_000_000), text);
  }
}

function readsOf(about: Pushed): Act[] {
  const { repository, digest } = about;
  if (about.act === 'push-blob') return [{ act: 'read-blob', repository, digest }];
  return [
    { act: 'read-manifest', repository, digest },
    ...(about.tag === null ? [] : [{ act: 'read-tag', repository, tag: about.tag } as const]),
    ...about.needs.map(need => ({ act: 'read-blob', repository, digest: need }) as const),
  ];
}
