import { DomainError, type Digest } from '@packs/domain';
import type { RemoteManifest, RepositoryContents } from '@packs/ports';
import { namedContent } from '@packs/registry-client';
import { manifestAt, type BringContent } from './bring-content';
import { isRefusal, type PullPlace } from './pull-place';

/** Brought of one manifest by one sync. */
const REFERRERS_MAX = 256;
/** What is signed may be a signature's SBOM, and hardly more. */
const DEPTH_MAX = 3;
/** cosign 2 puts what it makes of a manifest under tags made from its digest. */
const COSIGN_SUFFIXES = ['sig', 'att', 'sbom'];

/**
 * Brings what refers to a manifest, as it is: signatures, attestations, SBOMs, and cosign's tags. Beside a pack each is judged as one that a client
 * pushes; one that is refused is told and stops nothing.
 */
export class BringReferrers {
  constructor(
    private readonly contents: RepositoryContents,
    private readonly bringContent: BringContent,
  ) {}

  /** @param carried manifests that came with their subject: what they name is put beside them */
  async execute(place: PullPlace, subject: Digest, carried: ReadonlySet<Digest> = new Set(), depth = 1): Promise<void> {
    const { tenant, repository, from, signal } = place;
    const isPacks = (await this.contents.kind(tenant, repository)) === 'pack';
    const listed = (await from.referrers(subject, signal)).map(({ digest }) => digest);
    const there = await this.contents.manifests(tenant, repository, listed);
    const wanted = listed.filter(digest => !there.has(digest) || carried.has(digest));
    let brought = 0;
    for (const digest of wanted) {
      if (brought === REFERRERS_MAX) {
        const most = `a manifest is brought with at most ${REFERRERS_MAX} referrers; the next sync goes on`;
        place.refuse(subject, new DomainError('ERR_PACK_LIMIT', most));
        break;
      }
      await this.bring(place, digest, async () => {
        const manifest = await manifestAt(place, digest);
        if (namedContent(manifest).subject !== subject)
          throw new DomainError('ERR_REGISTRY_CORRUPT', `the registry lists ${digest} as a referrer of ${subject}, which it does not name`);
        await this.bringContent.put(place, manifest, []);
        brought += 1;
      });
    }
    await this.bringTagged(place, subject);
    // A pack's repository takes what refers to packs, and nothing that refers to that.
    if (isPacks || depth === DEPTH_MAX) return;
    for (const digest of listed.slice(0, REFERRERS_MAX)) await this.execute(place, digest, new Set(), depth + 1);
  }

  private async bringTagged(place: PullPlace, subject: Digest): Promise<void> {
    const { tenant, repository, from, tags, signal } = place;
    for (const suffix of COSIGN_SUFFIXES) {
      const tag = `${subject.replace(':', '-')}.${suffix}`;
      if (tags && !tags.has(tag)) continue;
      const found = await from.resolve(tag, signal);
      if (!found || (await this.contents.tagged(tenant, repository, tag)) === found.digest) continue;
      await this.bring(place, tag, async () => {
        const manifest: RemoteManifest = await manifestAt(place, found.digest);
        await this.bringContent.put(place, manifest, [tag]);
      });
    }
  }

  private async bring(place: PullPlace, what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      place.signal.throwIfAborted();
      if (!isRefusal(error)) throw error;
      place.refuse(what, error);
    }
  }
}
