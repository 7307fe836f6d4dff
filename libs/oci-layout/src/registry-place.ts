import { LOCATION_MAX, REGISTRY_LOCATION_PATTERN, type MirroredVersion } from '@packs/contracts';
import { DomainError, isContentDigest, parseVersion, versionTag, type Digest } from '@packs/domain';
import type { MirrorObject, MirrorPlace } from '@packs/ports';

const LOCATION = new RegExp(REGISTRY_LOCATION_PATTERN);
/** No packId is written so. */
const STATE_REPOSITORY = 'mirror--state';
const ROSTER_REPOSITORY = 'mirror--packs';
/** Tags that stand in for a referrers API, and cosign's. */
const RESERVED_TAG = /^sha(?:256|512)-/;

/** Where a mirror's repositories lie: `<host>/<prefix>/<packId>`. */
export class RegistryPlace {
  private constructor(
    readonly location: string,
    readonly host: string,
    private readonly prefix: string,
  ) {}

  /**
   * The path ends with the tenant, so that no two tenants' repositories are the same.
   * @throws DomainError ERR_MIRROR_TARGET_INVALID
   */
  static of({ tenant, location }: Pick<MirrorPlace, 'tenant' | 'location'>): RegistryPlace {
    const [host = '', ...path] = location.split('/');
    if (location.length > LOCATION_MAX || !LOCATION.test(location)) throw invalid(`does not match ${REGISTRY_LOCATION_PATTERN}`);
    if (path.at(-1) !== tenant) throw invalid(`the path does not end with /${tenant}`);
    return new RegistryPlace(location, host, path.join('/'));
  }

  get stateRepository(): string {
    return `${this.prefix}/${STATE_REPOSITORY}`;
  }

  get rosterRepository(): string {
    return `${this.prefix}/${ROSTER_REPOSITORY}`;
  }

  repositoryOf(packId: string): string {
    return `${this.prefix}/${packId}`;
  }
}

/** What lies at a path of a mirror in a registry. */
export type RegistryPath =
  | { readonly kind: 'blob' | 'manifest'; readonly packId: string; readonly digest: Digest }
  | { readonly kind: 'referrer'; readonly packId: string; readonly subject: Digest; readonly digest: Digest }
  | { readonly kind: 'tag'; readonly packId: string; readonly tag: string };

export function writePath(at: RegistryPath): string {
  switch (at.kind) {
    case 'blob':
    case 'manifest':
      return `${at.packId}/${at.kind}s/${at.digest}`;
    case 'referrer':
      return `${at.packId}/referrers/${at.subject}/${at.digest}`;
    case 'tag':
      return `${at.packId}/tags/${at.tag}`;
  }
}

/** Undefined: nothing can lie there. */
export function readPath(path: string): RegistryPath | undefined {
  const [packId = '', kind, first = '', second] = path.split('/');
  if ((kind === 'blobs' || kind === 'manifests') && isContentDigest(first)) {
    return { kind: kind === 'blobs' ? 'blob' : 'manifest', packId, digest: first };
  }
  if (kind === 'referrers' && isContentDigest(first) && isContentDigest(second))
    return { kind: 'referrer', packId, subject: first, digest: second };
  return kind === 'tags' && first !== '' ? { kind: 'tag', packId, tag: first } : undefined;
}

/** Blobs, the manifest, who refers to it, and last the tag: whoever finds a version by its tag finds all of it. */
export function registryObjectsOf({ packId, version, manifest, config, bundle, referrers }: MirroredVersion): MirrorObject[] {
  const at = (wave: number, path: RegistryPath, { digest, size }: { digest: Digest; size: number }): MirrorObject => {
    return { path: writePath(path), digest, size, wave };
  };
  const blobs = [config, bundle, ...referrers.flatMap(referrer => referrer.blobs)];
  const objects = [
    ...blobs.map(blob => at(0, { kind: 'blob', packId, digest: blob.digest }, blob)),
    at(1, { kind: 'manifest', packId, digest: manifest.digest }, manifest),
    ...referrers.map(one => at(2, { kind: 'referrer', packId, subject: manifest.digest, digest: one.manifest.digest }, one.manifest)),
    at(3, { kind: 'tag', packId, tag: versionTag(version) }, manifest),
  ];
  return [...new Map(objects.map(object => [object.path, object])).values()];
}

/** A channel whose name could be a version's or stands for something else is told by the state alone. */
export function registryPointersOf({ packId, manifest }: MirroredVersion, channels: readonly string[]): MirrorObject[] {
  return channels
    .filter(isChannelTag)
    .map(tag => ({ path: writePath({ kind: 'tag', packId, tag }), digest: manifest.digest, size: manifest.size, wave: 4 }));
}

function isChannelTag(channel: string): boolean {
  return !isReservedTag(channel) && !isVersionTag(channel);
}

export function isReservedTag(tag: string): boolean {
  return RESERVED_TAG.test(tag);
}

export function isVersionTag(tag: string): boolean {
  try {
    parseVersion(tag.replace('_', '+'));
    return true;
  } catch {
    return false;
  }
}

function invalid(message: string): DomainError {
  return new DomainError(
    'ERR_MIRROR_TARGET_INVALID',
    'a location in a registry is <host>[:<port>]/<path>, and the path ends with the tenant',
    {
      errors: [{ field: 'location', message }],
    },
  );
}
