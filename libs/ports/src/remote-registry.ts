import type { Descriptor, Digest } from '@packs/domain';

export interface RemoteManifest extends Descriptor {
  /** As the registry has them; they hash to `digest`. */
  readonly bytes: Buffer;
}

/** A manifest whose `subject` is the one asked about. */
export interface RemoteReferrer extends Descriptor {
  readonly artifactType: string | null;
  readonly annotations: Readonly<Record<string, string>>;
}

export type RemoteBlob = Pick<Descriptor, 'digest' | 'size'>;

/**
 * One repository of an OCI registry elsewhere (distribution-spec v1.1). Every method fails with DomainError ERR_REGISTRY_UNAVAILABLE
 * (`retry: later`) when the registry does not answer, ERR_REGISTRY_DENIED when it wants other credentials, ERR_REGISTRY_REFUSED when it
 * will not do it, and ERR_REGISTRY_CORRUPT when it answers with what cannot be right.
 */
export abstract class RemoteRepository {
  /** What a tag or a digest names, without reading it. */
  abstract resolve(reference: string, signal?: AbortSignal): Promise<Descriptor | undefined>;

  /** The manifest a tag or a digest names, proven by its digest. */
  abstract manifest(reference: string, signal?: AbortSignal): Promise<RemoteManifest | undefined>;

  /** Stores a manifest under a tag or its digest, and sees to it that `referrers` of its subject lists it. */
  abstract putManifest(reference: string, manifest: Pick<RemoteManifest, 'mediaType' | 'bytes'>, signal?: AbortSignal): Promise<Digest>;

  /** Removes a manifest with all its tags; `referrers` of its subject lists it no more. Absent is success. */
  abstract removeManifest(digest: Digest, signal?: AbortSignal): Promise<void>;

  /** Removes a tag and leaves what it names. Absent is success. */
  abstract removeTag(tag: string, signal?: AbortSignal): Promise<void>;

  /** Bytes of a blob; undefined: there is none. */
  abstract blobSize(digest: Digest, signal?: AbortSignal): Promise<number | undefined>;

  /**
   * Streams a blob, which is proven only when the stream has ended without an error. A broken connection is taken up where it broke.
   * `details.found` of ERR_REGISTRY_CORRUPT is the digest of what came instead.
   * @throws DomainError ERR_REGISTRY_CORRUPT also when there is no such blob
   */
  abstract readBlob(blob: RemoteBlob, signal?: AbortSignal): AsyncIterable<Uint8Array>;

  /**
   * Stores a blob unless it is there. A broken connection is taken up where it broke.
   * @throws DomainError ERR_PACK_CORRUPT when the source has other bytes; then nothing is stored
   */
  abstract writeBlob(blob: RemoteBlob, source: AsyncIterable<Uint8Array>, options?: WriteBlobOptions): Promise<void>;

  /** Removes a blob. Absent is success. */
  abstract removeBlob(digest: Digest, signal?: AbortSignal): Promise<void>;

  /** All tags, those that stand in for a missing referrers API among them. */
  abstract tags(signal?: AbortSignal): AsyncIterable<string>;

  abstract referrers(subject: Digest, signal?: AbortSignal): Promise<RemoteReferrer[]>;
}

export interface WriteBlobOptions {
  /** A repository of the same registry that may have it. */
  readonly mountFrom?: string;
  /** Writes it although it is there: what lies there is not what it should be. */
  readonly replace?: boolean;
  readonly signal?: AbortSignal;
}

export abstract class RemoteRegistries {
  /**
   * @param host name and, where it has one, port
   * @throws DomainError ERR_REGISTRY_NOT_ALLOWED when nobody may connect to it
   */
  abstract repository(host: string, name: string): RemoteRepository;

  /** Resolves when the registry answers and takes the credentials there are for it. */
  abstract check(host: string, signal?: AbortSignal): Promise<void>;
}
