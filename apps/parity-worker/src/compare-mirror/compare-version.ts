import type { MirroredVersion, MirrorState, ParityState } from '@packs/contracts';
import { canonicalJson, type Digest } from '@packs/domain';
import type { InventoryReferrer, InventoryVersion } from '@packs/ports';

/** What a mirror shows, made to be asked for one version after another. */
export class ShownVersions {
  private readonly versions: Map<string, MirroredVersion>;
  private readonly channels = new Map<string, string[]>();
  private readonly withdrawn: Map<string, Digest>;

  constructor(readonly state: MirrorState | undefined) {
    this.versions = new Map((state?.versions ?? []).map(version => [keyOf(version), version]));
    this.withdrawn = new Map((state?.withdrawn ?? []).map(version => [keyOf(version), version.manifestDigest]));
    for (const head of state?.channels ?? []) this.channels.set(keyOf(head), [...(this.channels.get(keyOf(head)) ?? []), head.channel]);
  }

  /** Hands a version out; what is never taken is extra. */
  take(version: Named): MirroredVersion | undefined {
    const found = this.versions.get(keyOf(version));
    this.versions.delete(keyOf(version));
    return found;
  }

  channelsOf(version: Named): readonly string[] {
    return this.channels.get(keyOf(version)) ?? [];
  }

  /** The mirror says that it does not hand this manifest on. */
  withdraws(version: Named, manifest: Digest): boolean {
    return this.withdrawn.get(keyOf(version)) === manifest;
  }

  /** Versions nobody took. */
  rest(): readonly MirroredVersion[] {
    return [...this.versions.values()];
  }
}

export interface Named {
  readonly packId: string;
  readonly version: string;
}

export function keyOf({ packId, version }: Named): string {
  return `${packId}@${version}`;
}

/** How a version stands by what the mirror says of itself. The worst of several differences counts. */
export function compareVersion(ours: InventoryVersion, theirs: MirroredVersion | undefined, shown: ShownVersions): ParityState {
  if (!theirs) return isRightlyWithheld(ours, shown) ? 'in-step' : 'missing';
  if (digestsOf(ours) !== shownDigestsOf(theirs)) return 'different-digest';
  if (isWithdrawn(ours)) return 'stale-state';
  const referrers = new Map(theirs.referrers.map(referrer => [referrer.manifest.digest, referrer]));
  const wanted = ours.referrers.filter(referrer => !isReferrerRightlyWithheld(ours, referrer, theirs));
  const complete = wanted.every(({ manifest, blobs }) => {
    const there = referrers.get(manifest.digest);
    return there !== undefined && blobs.every(blob => there.blobs.some(other => other.digest === blob.digest));
  });
  if (!complete) return 'missing-signature';
  const stale =
    theirs.referrers.length !== wanted.length ||
    canonicalJson(factsOf(ours)) !== canonicalJson(factsOf(theirs)) ||
    sorted(ours.channels) !== sorted(shown.channelsOf(ours));
  return stale ? 'stale-state' : 'in-step';
}

/** Nobody is to be given it. */
function isWithdrawn({ verification }: InventoryVersion): boolean {
  return verification.withdrawnEpoch === verification.trust.epoch;
}

/** What the current keys were not asked about since it came in may be withdrawn: then a mirror must not show it. */
function isRightlyWithheld({ packId, version, manifest, verification }: InventoryVersion, shown: ShownVersions): boolean {
  return verification.epoch !== verification.trust.epoch && shown.withdraws({ packId, version }, manifest.digest);
}

function isReferrerRightlyWithheld(
  { verification: { trust } }: InventoryVersion,
  { manifest, verification }: InventoryReferrer,
  { withdrawn = [] }: MirroredVersion,
): boolean {
  return verification !== null && verification.epoch !== trust.epoch && withdrawn.includes(manifest.digest);
}

function digestsOf({ manifest, blobs }: InventoryVersion): string {
  return sorted([`manifest ${manifest.digest}`, ...blobs.map(blob => blob.digest)]);
}

function shownDigestsOf({ manifest, config, bundle }: MirroredVersion): string {
  return sorted([`manifest ${manifest.digest}`, config.digest, bundle.digest]);
}

function factsOf({ type, publishedAt, lifecycle, deprecation, visibility }: InventoryVersion | MirroredVersion) {
  return { type, publishedAt, lifecycle, deprecation: deprecation && { ...deprecation }, visibility: [...visibility] };
}

function sorted(values: readonly string[]): string {
  return values.toSorted().join();
}
