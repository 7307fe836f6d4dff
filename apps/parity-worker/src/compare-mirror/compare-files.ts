import type { MirroredVersion, ParityState } from '@packs/contracts';
import { canonicalDigest, type Digest } from '@packs/domain';
import type { MirrorObject, MirrorPlace, MirrorTarget } from '@packs/ports';

/** Files read at a time. */
const WIDTH = 4;

export interface FileDifference {
  readonly state: ParityState;
  readonly path: string;
}

export interface FilesReport {
  readonly difference: FileDifference | null;
  readonly hashedBytes: number;
}

/** Names the very files of a version at a place: bytes proven under it need no second reading. */
export function proofOf({ tenant, kind, location }: MirrorPlace, objects: readonly MirrorObject[]): Digest {
  return canonicalDigest({ tenant, kind, location, objects: objects.map(({ path, digest, size }) => ({ path, digest, size })) });
}

export interface Looking {
  /** The channels whose head the mirror says it is. */
  readonly channels: readonly string[];
  readonly hash: boolean;
  readonly signal: AbortSignal;
}

/** Looks at what is there of one version: at hashes, or where they are proven already as the target tells. The worst difference counts. */
export async function compareFiles(
  target: MirrorTarget,
  theirs: MirroredVersion,
  { channels, hash, signal }: Looking,
): Promise<FilesReport> {
  const objects = [...target.objectsOf(theirs), ...target.pointersOf(theirs, channels)];
  const own = new Set<string>([theirs.manifest.digest, theirs.config.digest, theirs.bundle.digest]);
  const differences: FileDifference[] = [];
  let hashedBytes = 0;
  for (let at = 0; at < objects.length; at += WIDTH) {
    signal.throwIfAborted();
    await Promise.all(
      objects.slice(at, at + WIDTH).map(async object => {
        const { path, digest, size } = object;
        const likeness = await target.look(object, signal);
        if (likeness === 'absent') return differences.push({ state: own.has(digest) ? 'missing' : 'missing-signature', path });
        if (likeness === 'different') return differences.push({ state: 'different-digest', path });
        if (!hash) return undefined;
        hashedBytes += size;
        return (await target.hash(path, signal)) === digest ? undefined : differences.push({ state: 'different-digest', path });
      }),
    );
  }
  return { difference: worst(differences), hashedBytes };
}

const BY_WEIGHT: readonly ParityState[] = ['different-digest', 'missing', 'missing-signature'];

function worst(differences: readonly FileDifference[]): FileDifference | null {
  const [first] = differences.toSorted((a, b) => BY_WEIGHT.indexOf(a.state) - BY_WEIGHT.indexOf(b.state) || (a.path < b.path ? -1 : 1));
  return first ?? null;
}
