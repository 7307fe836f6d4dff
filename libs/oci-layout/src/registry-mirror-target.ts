import type { MirroredVersion, MirrorState } from '@packs/contracts';
import { DomainError, EMPTY_JSON, sha256, type Digest } from '@packs/domain';
import {
  MirrorTarget,
  type Likeness,
  type MirrorObject,
  type RemoteManifest,
  type RemoteRegistries,
  type RemoteRepository,
  type StagedState,
} from '@packs/ports';
import { isTagProtected, onRegistry, toMirrorFault } from './registry-faults';
import {
  isReservedTag,
  isVersionTag,
  readPath,
  registryObjectsOf,
  registryPointersOf,
  writePath,
  type RegistryPath,
  type RegistryPlace,
} from './registry-place';
import { RegistryPruning } from './registry-pruning';
import { RegistryRoster } from './registry-roster';
import { RegistryState } from './registry-state';

/** Objects looked at together. */
const CHECKS = 8;
const EMPTY = { digest: sha256(EMPTY_JSON), size: EMPTY_JSON.length };

/**
 * A mirror as repositories of any OCI registry. A version's tag is set after all that belongs to it; channels' tags and the state are
 * set last, each in one step. A registry that says that it moves the tags of channels itself is left to do so.
 */
export class RegistryMirrorTarget extends MirrorTarget {
  private readonly stateDocument: RegistryState;
  private readonly roster: RegistryRoster;
  /** Known once a state is read or staged. */
  private leavesChannels = false;

  constructor(
    private readonly registries: RemoteRegistries,
    private readonly place: RegistryPlace,
  ) {
    super();
    this.stateDocument = new RegistryState(registries.repository(place.host, place.stateRepository));
    this.roster = new RegistryRoster(registries.repository(place.host, place.rosterRepository));
  }

  async state(): Promise<MirrorState | undefined> {
    return this.on(async () => {
      this.leavesChannels = (await this.stateDocument.leavesChannels()) ?? false;
      return this.stateDocument.shown();
    });
  }

  objectsOf(version: MirroredVersion): MirrorObject[] {
    return registryObjectsOf(version);
  }

  pointersOf(version: MirroredVersion, channels: readonly string[]): MirrorObject[] {
    return this.leavesChannels ? [] : registryPointersOf(version, channels);
  }

  look(object: MirrorObject, signal?: AbortSignal): Promise<Likeness> {
    return this.on(async () => {
      const at = readPath(object.path);
      if (!at) return 'absent';
      const repository = this.repositoryOf(at);
      if (at.kind === 'blob') {
        const size = await repository.blobSize(at.digest, signal);
        if (size === undefined) return 'absent';
        return size === object.size ? 'alike' : 'different';
      }
      const found = await repository.resolve(referenceOf(at), signal);
      if (!found) return 'absent';
      if (found.digest !== object.digest || found.size !== object.size) return 'different';
      return at.kind === 'referrer' && !(await isListed(repository, at, signal)) ? 'absent' : 'alike';
    });
  }

  hash(path: string, signal?: AbortSignal): Promise<Digest | undefined> {
    return this.on(async () => {
      const at = readPath(path);
      if (!at) return undefined;
      const repository = this.repositoryOf(at);
      try {
        if (at.kind !== 'blob') return (await repository.manifest(referenceOf(at), signal))?.digest;
        const size = await repository.blobSize(at.digest, signal);
        if (size === undefined) return undefined;
        for await (const _ of repository.readBlob({ digest: at.digest, size }, signal)) signal?.throwIfAborted();
        return at.digest;
      } catch (error) {
        return foundIn(error);
      }
    });
  }

  async *files(): AsyncGenerator<string> {
    for (const packId of await this.on(() => this.roster.packIds())) {
      const tags = this.registries.repository(this.place.host, this.place.repositoryOf(packId)).tags();
      for await (const tag of this.faultsOf(tags)) if (this.isOurs(tag)) yield writePath({ kind: 'tag', packId, tag });
    }
  }

  async *read(path: string): AsyncGenerator<Uint8Array> {
    const at = readPath(path);
    const repository = at && this.repositoryOf(at);
    if (at?.kind === 'blob' && repository) {
      const size = await this.on(() => repository.blobSize(at.digest));
      if (size !== undefined) return yield* this.faultsOf(repository.readBlob({ digest: at.digest, size }));
    } else if (at && repository) {
      const manifest = await this.on(() => repository.manifest(referenceOf(at)));
      if (manifest) return yield manifest.bytes;
    }
    throw new DomainError('ERR_MIRROR_CORRUPT', `mirror location ${this.place.location} has nothing at ${path}`, { details: { path } });
  }

  /** What a killed writer left is nothing that a tag names. */
  prepare(): Promise<void> {
    return this.on(() => this.registries.check(this.place.host));
  }

  write(object: MirrorObject, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    return this.on(async () => {
      const at = readPath(object.path);
      if (!at) throw new Error(`nothing can lie at ${object.path}`);
      const repository = this.repositoryOf(at);
      await this.roster.enter(at.packId, signal);
      if (at.kind === 'blob') return this.writeBlob(repository, object, source, signal);
      const bytes = await wholeOf(object, source, signal);
      if (bytes.includes(EMPTY.digest)) await repository.writeBlob(EMPTY, once(EMPTY_JSON), { signal });
      await repository.putManifest(referenceOf(at), { mediaType: mediaTypeOf(bytes), bytes }, signal);
    });
  }

  /** A registry has what it acknowledged. */
  async flush(): Promise<void> {}

  stage(state: MirrorState, signal?: AbortSignal): Promise<StagedState> {
    return this.on(async () => {
      const objects = state.versions.flatMap(version => this.objectsOf(version));
      for (let at = 0; at < objects.length; at += CHECKS) {
        signal?.throwIfAborted();
        await Promise.all(objects.slice(at, at + CHECKS).map(object => this.checkThere(object, signal)));
      }
      const leavesChannels = await this.stateDocument.leavesChannels(signal);
      this.leavesChannels = leavesChannels ?? false;
      const moves = await this.channelMoves(state, { all: leavesChannels === undefined, signal });
      const stored = await this.stateDocument.store(state, signal);
      const commit = (): Promise<void> =>
        this.on(async () => {
          await this.moveChannels(moves);
          await stored.show(this.leavesChannels);
        });
      return { digest: stored.digest, commit };
    });
  }

  prune(state: MirrorState, signal?: AbortSignal, before?: MirrorState): Promise<string[]> {
    return this.on(async () => {
      const named = new Set(
        [...state.versions.flatMap(version => this.objectsOf(version)), ...this.pointers(state)].map(({ path }) => path),
      );
      const removed: string[] = [];
      for (const packId of await this.roster.packIds()) {
        const repository = this.registries.repository(this.place.host, this.place.repositoryOf(packId));
        const pruning = new RegistryPruning(repository, packId, named, tag => this.isOurs(tag), signal);
        for (const version of state.versions.filter(one => one.packId === packId)) {
          for (const digest of goneOf(version, before)) await pruning.removeReferrer(version.manifest.digest, digest);
        }
        await pruning.run();
        removed.push(...pruning.removed);
      }
      return removed;
    });
  }

  /** One that is there although somebody found that it has to be written has other bytes; not every registry lets it be replaced. */
  private async writeBlob(
    repository: RemoteRepository,
    object: MirrorObject,
    source: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<void> {
    const isThere = (await repository.blobSize(object.digest, signal)) !== undefined;
    await repository.writeBlob(object, source, { replace: isThere, signal });
    if (!isThere || (await this.hash(object.path, signal)) === object.digest) return;
    throw new DomainError('ERR_MIRROR_CORRUPT', `mirror location ${this.place.location} keeps other bytes for ${object.digest}`, {
      retry: 'later',
      details: { path: object.path },
    });
  }

  /** Tags of channels that do not name their heads yet; at first all, as a registry that sets them itself tells only who does. */
  private async channelMoves(
    state: MirrorState,
    { all, signal }: { all: boolean; signal?: AbortSignal },
  ): Promise<(() => Promise<unknown>)[]> {
    const moves: (() => Promise<unknown>)[] = [];
    for (const pointer of this.pointers(state)) {
      signal?.throwIfAborted();
      const at = readPath(pointer.path);
      if (at?.kind !== 'tag' || (!all && (await this.look(pointer, signal)) === 'alike')) continue;
      const repository = this.repositoryOf(at);
      const manifest = await repository.manifest(pointer.digest, signal);
      if (!manifest) throw this.gone(pointer);
      moves.push(() => repository.putManifest(at.tag, manifest));
    }
    return moves;
  }

  private async moveChannels(moves: readonly (() => Promise<unknown>)[]): Promise<void> {
    try {
      for (const move of moves) await move();
    } catch (error) {
      if (!isTagProtected(error)) throw error;
      this.leavesChannels = true;
    }
  }

  private isOurs(tag: string): boolean {
    return !isReservedTag(tag) && (!this.leavesChannels || isVersionTag(tag));
  }

  private pointers({ versions, channels }: MirrorState): MirrorObject[] {
    const heads = Map.groupBy(channels, ({ packId, version }) => `${packId}@${version}`);
    return versions.flatMap(version => {
      const own = heads.get(`${version.packId}@${version.version}`) ?? [];
      return this.pointersOf(
        version,
        own.map(({ channel }) => channel),
      );
    });
  }

  private async checkThere(object: MirrorObject, signal?: AbortSignal): Promise<void> {
    if ((await this.look(object, signal)) !== 'alike') throw this.gone(object);
  }

  private gone({ path }: MirrorObject): DomainError {
    return new DomainError('ERR_MIRROR_TARGET_UNAVAILABLE', `mirror location ${this.place.location}: ${path} was written and is gone`, {
      retry: 'later',
      details: { path },
    });
  }

  private repositoryOf({ packId }: RegistryPath): RemoteRepository {
    return this.registries.repository(this.place.host, this.place.repositoryOf(packId));
  }

  private on<T>(work: () => Promise<T>): Promise<T> {
    return onRegistry(this.place.location, work);
  }

  private async *faultsOf<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* items;
    } catch (error) {
      throw toMirrorFault(this.place.location, error);
    }
  }
}

function referenceOf(at: Exclude<RegistryPath, { kind: 'blob' }>): string {
  return at.kind === 'tag' ? at.tag : at.digest;
}

/** Nobody finds a signature that its subject's list lacks. */
async function isListed(
  repository: RemoteRepository,
  at: Extract<RegistryPath, { kind: 'referrer' }>,
  signal?: AbortSignal,
): Promise<boolean> {
  return (await repository.referrers(at.subject, signal)).some(({ digest }) => digest === at.digest);
}

/** What a registry's answer hashes to when it is not what was asked for. */
function foundIn(error: unknown): Digest {
  const found = error instanceof DomainError && error.code === 'ERR_REGISTRY_CORRUPT' ? error.details['found'] : undefined;
  if (typeof found === 'string') return found as Digest;
  throw error;
}

async function wholeOf({ digest, size }: MirrorObject, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let received = 0;
  for await (const part of source) {
    signal?.throwIfAborted();
    received += part.length;
    if (received > size) break;
    parts.push(part);
  }
  const bytes = Buffer.concat(parts);
  if (received === size && sha256(bytes) === digest) return bytes;
  throw new DomainError('ERR_PACK_CORRUPT', `the bytes read for ${digest} are others`, { details: { digest } });
}

function mediaTypeOf(bytes: Buffer): RemoteManifest['mediaType'] {
  const { mediaType } = JSON.parse(bytes.toString('utf8')) as { mediaType?: unknown };
  return typeof mediaType === 'string' ? mediaType : 'application/vnd.oci.image.manifest.v1+json';
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** Referrers of a version that stays: those that are withheld, and those that were shown before. */
function goneOf({ manifest, referrers, withdrawn = [] }: MirroredVersion, before: MirrorState | undefined): Set<Digest> {
  const shown = before?.versions.find(version => version.manifest.digest === manifest.digest)?.referrers ?? [];
  const now = new Set(referrers.map(one => one.manifest.digest));
  return new Set([...withdrawn, ...shown.map(one => one.manifest.digest).filter(digest => !now.has(digest))]);
}
