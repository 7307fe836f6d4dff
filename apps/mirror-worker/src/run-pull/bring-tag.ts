import { DomainError, type Descriptor, type Digest } from '@packs/domain';
import type { RepositoryContents } from '@packs/ports';
import { namedContent } from '@packs/registry-client';
import { manifestAt, type BringContent } from './bring-content';
import type { BringPack } from './bring-pack';
import type { BringReferrers } from './bring-referrers';
import type { PullPlace } from './pull-place';
import { versionOfTag } from './wanted-tags';

/** Brings what an upstream's tag names, unless it is here, and then what refers to it. */
export class BringTag {
  constructor(
    private readonly contents: RepositoryContents,
    private readonly bringPack: BringPack,
    private readonly bringContent: BringContent,
    private readonly bringReferrers: BringReferrers,
  ) {}

  /**
   * @param brought what an earlier sync put under the tag
   * @param keep is told what is under the tag now, before what refers to it is brought
   * @throws DomainError ERR_PACK_VERSION_EXISTS when the tag names something else here that is not for this to replace, and what a publish or push is
   * refused with
   */
  async execute(
    place: PullPlace,
    tag: string,
    brought: Digest | undefined,
    keep: (found: Descriptor) => Promise<void>,
  ): Promise<Pick<Descriptor, 'digest' | 'size'>> {
    const { tenant, repository, from, budget, signal } = place;
    const found = await from.resolve(tag, signal);
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', `there is no manifest under the tag ${tag}`);
    const bringRest = async (carried?: ReadonlySet<Digest>): Promise<void> => {
      await keep(found);
      await this.bringReferrers.execute(place, found.digest, carried);
      await this.requirePublished(tenant, repository, found.digest);
    };
    if (await this.isHere(place, tag, found.digest, brought)) await bringRest();
    else await budget.forVersion(async () => bringRest(await this.bring(place, tag, found.digest)));
    return found;
  }

  private async isHere({ tenant, repository }: PullPlace, tag: string, digest: Digest, brought: Digest | undefined): Promise<boolean> {
    const isPacks = (await this.contents.kind(tenant, repository)) === 'pack';
    const named = await this.contents.tagged(tenant, repository, tag);
    const mayMove = !isPacks && named === brought && versionOfTag(tag) === undefined;
    if (named !== undefined && named !== digest && !mayMove) throw conflict(tag, { here: named, there: digest });
    return isPacks ? (await this.contents.versionOf(tenant, repository, digest))?.state === 'published' : named === digest;
  }

  private async bring(place: PullPlace, tag: string, digest: Digest): Promise<ReadonlySet<Digest>> {
    const manifest = await manifestAt(place, digest);
    if (namedContent(manifest).isPack) return this.bringPack.execute(place, manifest);
    await this.bringContent.execute(place, tag, manifest);
    return new Set();
  }

  /** A version that waits for signatures is claimed, and not there. */
  private async requirePublished(tenant: string, repository: string, digest: Digest): Promise<void> {
    const version = await this.contents.versionOf(tenant, repository, digest);
    if (version?.state === 'pending')
      throw new DomainError('ERR_PACK_SIGNATURE_MISSING', `${version.version} waits for the signatures that its policy asks for`);
  }
}

function conflict(tag: string, { here, there }: { readonly here: Digest; readonly there: Digest }): DomainError {
  return new DomainError('ERR_PACK_VERSION_EXISTS', `${tag} is ${here} here and ${there} at the upstream: what is here stays`, {
    details: { here, there },
  });
}
