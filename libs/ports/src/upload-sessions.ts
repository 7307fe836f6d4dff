import type { Digest, DigestAlgorithm, RepositoryName } from '@packs/domain';
import type { PartialUpload, StoredBlob } from './blob-store';

/** An upload that a client may go on with, at any replica. */
export interface UploadSession {
  readonly id: string;
  readonly algorithm: DigestAlgorithm;
  /** Null before the first byte. */
  readonly upload: PartialUpload | null;
}

/** One writer's right to a session, until its time has passed and another took it. */
export interface UploadLease {
  readonly of: RepositoryName;
  readonly id: string;
  /** No two writers are called the same. */
  readonly owner: string;
  /** From now, or from the last time it was kept. */
  readonly ms: number;
}

/** Uploads to repositories in namespaces of their own tenant, and what becomes of them. What they say need not survive a power cut until a blob is linked. */
export abstract class UploadSessions {
  /**
   * Begins a session and gives its id.
   * @throws DomainError ERR_PACK_LIMIT, to be asked again later, when the tenant has `limit` of them; ERR_PACK_SEALED
   */
  abstract open(to: RepositoryName, actor: string, algorithm: DigestAlgorithm, limit: number): Promise<string>;

  /** `busy`: a writer is taking bytes for it, which are not counted yet. */
  abstract find(of: RepositoryName, id: string): Promise<(UploadSession & { readonly busy: boolean }) | undefined>;

  /**
   * Takes a session for one writer. Undefined: there is no such session.
   * @throws DomainError ERR_OCI_UPLOAD_BUSY, to be asked again later, while another has it
   */
  abstract hold(lease: UploadLease): Promise<UploadSession | undefined>;

  /** Keeps the lease for its time from now on, and with `upload` what the session has by now. False: another took it over, or it ended. */
  abstract keep(lease: UploadLease, upload?: PartialUpload): Promise<boolean>;

  /** Gives the session back with what it has now; null: as before its first byte. False: another took it over, or it ended. */
  abstract release(lease: UploadLease, upload: PartialUpload | null): Promise<boolean>;

  /** Ends a session without a blob; what the blob store has of it is the caller's to discard. False: it is not the caller's to end. */
  abstract remove(lease: UploadLease): Promise<boolean>;

  /**
   * Records a proven blob, links it to the repository and ends the session it came by, all or nothing. Whoever has the session: the bytes are proven.
   * @returns the record that holds: an earlier one of the digest wins, and the later object is the caller's to remove
   * @throws DomainError ERR_PACK_SEALED
   */
  abstract link(to: RepositoryName, actor: string, blob: StoredBlob, session?: string): Promise<StoredBlob>;

  /**
   * As `link`, for a blob that came whole to a session which nobody has to hold for it.
   * @returns `unknown`: there is no such session; `begun`: it has bytes, or a writer. Nothing was recorded then, and the object is the caller's to remove
   * @throws DomainError ERR_PACK_SEALED
   */
  abstract linkWhole(to: RepositoryName, actor: string, blob: StoredBlob, session: string): Promise<StoredBlob | 'unknown' | 'begun'>;

  /** Repositories of the namespace that have the blob, some of them. */
  abstract holders(namespace: string, digest: Digest, limit: number): Promise<readonly RepositoryName[]>;

  /**
   * Links a blob that the repository `from` has, where it is of the same tenant. Undefined: it has none, or is another tenant's.
   * @throws DomainError ERR_PACK_SEALED
   */
  abstract mount(to: RepositoryName, actor: string, digest: Digest, from: RepositoryName): Promise<StoredBlob | undefined>;

  /** Takes away sessions nobody touched since `before`, some at a time, and gives what the blob store has of them. */
  abstract sweep(before: Date, limit: number): Promise<{ readonly ended: number; readonly uploads: readonly PartialUpload[] }>;
}
