import type { Digest } from '@packs/domain';
import type { RemoteReferrer, RemoteRepository } from '@packs/ports';
import type { AccessScope } from './authorizer';
import { encodeIndex, fallbackTag, INDEX_TYPE, referrersOf } from './referrer-list';
import { endless, nextPage } from './next-page';
import type { RegistryCalls } from './registry-calls';
import { Transient } from './registry-faults';

const LIST_MAX = 8 * 1024 * 1024;
const PAGES_MAX = 1_000;
/** Of one manifest; nobody has so many. */
const REFERRERS_MAX = 50_000;

/** Who refers to a manifest: by the registry's API, and where it has none by the index under the tag that stands in for it. */
export class Referrers {
  /** Changes of one index come one after another; those of other clients are found by reading it again. */
  private readonly changing = new Map<string, Promise<unknown>>();

  constructor(
    private readonly repository: Pick<RemoteRepository, 'manifest' | 'putManifest' | 'removeManifest' | 'resolve'>,
    private readonly calls: RegistryCalls,
    private readonly path: string,
    private readonly scope: AccessScope,
  ) {}

  async of(subject: Digest, signal?: AbortSignal): Promise<RemoteReferrer[]> {
    const found: RemoteReferrer[] = [];
    let path: string | undefined = `${this.path}/${subject}`;
    for (let page = 0; path !== undefined && page < PAGES_MAX; page++) {
      const { status, headers, bytes } = await this.calls.read(
        { method: 'GET', path, expect: [200, 404], scope: this.scope, signal },
        LIST_MAX,
      );
      if (status === 404) return this.fallback(subject, signal);
      const listed = referrersOf(bytes);
      if (!listed) throw this.calls.fault('ERR_REGISTRY_CORRUPT', 'its list of referrers is none');
      for (const one of listed) found.push(one);
      path = nextPage({ headers }, path, this.calls);
      const leadsOn = path !== undefined && (listed.length === 0 || page + 1 === PAGES_MAX);
      if (leadsOn || found.length > REFERRERS_MAX) throw endless(this.calls, 'referrers');
    }
    return found;
  }

  /** Lists a manifest that a registry without the API has taken. */
  add(subject: Digest, entry: RemoteReferrer, signal?: AbortSignal): Promise<void> {
    return this.change(subject, signal, listed => (listed.some(({ digest }) => digest === entry.digest) ? undefined : [...listed, entry]));
  }

  drop(subject: Digest, digest: Digest, signal?: AbortSignal): Promise<void> {
    return this.change(subject, signal, listed => {
      const left = listed.filter(one => one.digest !== digest);
      return left.length === listed.length ? undefined : left;
    });
  }

  private async fallback(subject: Digest, signal?: AbortSignal): Promise<RemoteReferrer[]> {
    const index = await this.repository.manifest(fallbackTag(subject), signal);
    if (!index) return [];
    const listed = referrersOf(index.bytes);
    if (!listed) throw this.calls.fault('ERR_REGISTRY_CORRUPT', `what lies under ${fallbackTag(subject)} lists no referrers`);
    return listed;
  }

  private async change(
    subject: Digest,
    signal: AbortSignal | undefined,
    alter: (listed: readonly RemoteReferrer[]) => readonly RemoteReferrer[] | undefined,
  ): Promise<void> {
    const before = this.changing.get(subject) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(() => this.changeAlone(subject, signal, alter));
    this.changing.set(subject, mine);
    try {
      await mine;
    } finally {
      if (this.changing.get(subject) === mine) this.changing.delete(subject);
    }
  }

  /** Until the list is as it should be when it is read again: another client that read it before may have put its own in place. */
  private changeAlone(
    subject: Digest,
    signal: AbortSignal | undefined,
    alter: (listed: readonly RemoteReferrer[]) => readonly RemoteReferrer[] | undefined,
  ): Promise<void> {
    return this.calls.retrying(signal, async () => {
      const wanted = alter(await this.fallback(subject, signal));
      if (!wanted) return;
      await this.replace(fallbackTag(subject), wanted, signal);
      if (alter(await this.fallback(subject, signal))) throw new Transient('another client changes the same list of referrers');
    });
  }

  private async replace(tag: string, wanted: readonly RemoteReferrer[], signal?: AbortSignal): Promise<void> {
    if (wanted.length > 0) {
      await this.repository.putManifest(tag, { mediaType: INDEX_TYPE, bytes: encodeIndex(wanted) }, signal);
      return;
    }
    const listed = await this.repository.resolve(tag, signal);
    if (listed) await this.repository.removeManifest(listed.digest, signal);
  }
}
