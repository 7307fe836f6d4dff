import type { MirroredVersion, MirrorKind, MirrorState } from '@packs/contracts';
import type { Digest } from '@packs/domain';

/** Where a mirror lies. */
export interface MirrorPlace {
  readonly tenant: string;
  readonly kind: MirrorKind;
  /** A folder below the tenant's part of the mirror root; of a registry its host and the path before every repository. */
  readonly location: string;
}

/** Something of a version, and where the target keeps it. */
export interface MirrorObject {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
  /** A version's objects are written wave by wave: what leads to others comes after them. 0 is the first. */
  readonly wave: number;
}

/** How something at a mirror stands as far as can be told without reading it: by its size and, where the mirror tells it, its digest. */
export type Likeness = 'absent' | 'different' | 'alike';

/** A state that is written but not yet shown. */
export interface StagedState {
  readonly digest: Digest;
  /** Shows it in place of what was shown before, in one step. */
  commit(): Promise<void>;
}

/**
 * One mirror. Readers go by its state alone, and a state is shown only when every blob it names is there.
 * Every method fails with ERR_MIRROR_TARGET_FULL, ERR_MIRROR_TARGET_UNWRITABLE or ERR_MIRROR_TARGET_UNAVAILABLE (`retry: later`)
 * when the target does not let it do its work.
 */
export abstract class MirrorTarget {
  /**
   * What the mirror shows; undefined while it has shown nothing.
   * @throws DomainError ERR_MIRROR_CORRUPT when that cannot be read
   */
  abstract state(): Promise<MirrorState | undefined>;

  /** Where a version lies, each path once. */
  abstract objectsOf(version: MirroredVersion): MirrorObject[];

  /** What leads to a version because it is the head of these channels. Nobody writes it: it changes with the state. */
  abstract pointersOf(version: MirroredVersion, channels: readonly string[]): MirrorObject[];

  abstract look(object: MirrorObject, signal?: AbortSignal): Promise<Likeness>;

  /** SHA-256 of what is there, or undefined when there is nothing. */
  abstract hash(path: string, signal?: AbortSignal): Promise<Digest | undefined>;

  /**
   * Paths of all that is there and can be listed, in no order, but of what makes the mirror one: its index, its state, and what a writer
   * works on.
   */
  abstract files(): AsyncIterable<string>;

  /** @throws DomainError ERR_MIRROR_CORRUPT when there is nothing */
  abstract read(path: string): AsyncIterable<Uint8Array>;

  /** Makes the mirror ready to be written to and removes what a killed writer left half done. One writer at a time. */
  abstract prepare(): Promise<void>;

  /**
   * Writes one blob, in place of what lies there. It has its name only when its bytes are proven to be the digest's.
   * @throws DomainError ERR_PACK_CORRUPT when the source has other bytes
   */
  abstract write(object: MirrorObject, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>;

  /** Everything written before survives a power cut once this resolves. */
  abstract flush(): Promise<void>;

  /** @throws DomainError ERR_MIRROR_TARGET_UNAVAILABLE when a blob that the state names is not there with its size */
  abstract stage(state: MirrorState, signal?: AbortSignal): Promise<StagedState>;

  /**
   * Removes what the state, which has to be the one shown, does not name; returns where it lay. What is not the mirror's own stays.
   * @param before the state that was shown before it
   */
  abstract prune(state: MirrorState, signal?: AbortSignal, before?: MirrorState): Promise<string[]>;
}

/** Opens mirrors by their place. */
export abstract class MirrorTargets {
  /** @throws DomainError ERR_MIRROR_TARGET_INVALID when the location leads where the tenant may not */
  abstract open(place: MirrorPlace): Promise<MirrorTarget>;
}
