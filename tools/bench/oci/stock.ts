import { Connection } from './connection';
import { manifestOver, newBlob, type Blob, type Manifest } from './content';
import type { Target } from './load';
import { Repository } from './repository';

/** A blob and a manifest over it that can be pulled. */
export interface Stocked {
  readonly repository: Repository;
  readonly tag: string;
  readonly blob: Blob;
  readonly manifest: Manifest;
}

/** A repository that grows: its manifests are all over one layer, and refer to one subject where there is one. */
export interface Growing {
  readonly repository: Repository;
  readonly layer: Blob;
  readonly subject: Manifest | undefined;
  entries: number;
}

const FILLERS = 8;
const SMALL = 4096;

/** What a registry holds of this run. */
export class Stock {
  private readonly pullable = new Map<number, Stocked[]>();
  private readonly growing = new Map<string, Growing>();
  private names = 0;

  constructor(private target: Target) {}

  /** Tokens change. */
  reach(target: Target): void {
    this.target = target;
  }

  connection(authorization = this.target.authorization): Connection {
    return new Connection(new URL(this.target.url), authorization);
  }

  /** Nothing is in it but the config. */
  async freshRepository(): Promise<Repository> {
    const repository = new Repository(`${this.target.prefix}bench-${process.pid}-${++this.names}`);
    await this.using(connection => repository.prepare(connection));
    return repository;
  }

  async pullableOf(bytes: number, count: number): Promise<readonly Stocked[]> {
    const known = this.pullable.get(bytes) ?? [];
    this.pullable.set(bytes, known);
    if (known.length >= count) return known;
    const repository = known[0]?.repository ?? (await this.freshRepository());
    await this.using(async connection => {
      while (known.length < count) {
        const [blob, tag] = [newBlob(bytes), `t${known.length}`];
        const manifest = manifestOver(blob, tag);
        await repository.pushWhole(connection, blob);
        await repository.putManifest(connection, tag, manifest);
        known.push({ repository, tag, blob, manifest });
      }
    });
    return known;
  }

  /** Fills up what is missing. */
  async grown(of: 'tags' | 'referrers', entries: number): Promise<Growing> {
    const found = this.growing.get(of) ?? (await this.begin(of));
    this.growing.set(of, found);
    const filler = () =>
      this.using(async connection => {
        while (found.entries < entries) await grow(connection, found);
      });
    await Promise.all(Array.from({ length: FILLERS }, filler));
    return found;
  }

  private async begin(of: 'tags' | 'referrers'): Promise<Growing> {
    const repository = await this.freshRepository();
    const layer = newBlob(SMALL);
    const subject = of === 'referrers' ? manifestOver(layer, 'subject') : undefined;
    await this.using(async connection => {
      await repository.pushWhole(connection, layer);
      if (subject) await repository.putManifest(connection, 'subject', subject);
    });
    return { repository, layer, subject, entries: 0 };
  }

  private async using(work: (connection: Connection) => Promise<void>): Promise<void> {
    const connection = this.connection();
    try {
      await work(connection);
    } finally {
      connection.close();
    }
  }
}

/** One entry more: a tag, or a referrer that is known by its digest alone. */
export async function grow(connection: Connection, growing: Growing): Promise<void> {
  const { repository, layer, subject } = growing;
  const number = ++growing.entries;
  const manifest = manifestOver(layer, `entry ${number}`, subject);
  await repository.putManifest(connection, subject ? manifest.digest : `1.0.${number}`, manifest);
}
