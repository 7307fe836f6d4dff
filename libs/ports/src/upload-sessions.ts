import type { DigestAlgorithm, RepositoryName } from '@packs/domain';
import type { PartialUpload, StoredBlob } from './blob-store';

/** An upload that a client may go on with, at any replica. */
export interface UploadSession {
  readonly id: string;
  readonly algorithm: DigestAlgorithm;
  /** Null before the first byte. */
  readonly upload: PartialUpload | null;
}

/** Uploads of repositories in namespaces of their own tenant, and what becomes of them. */
export abstract class UploadSessions {
  /** Begins a session and gives its id. It need not survive a power cut: nothing was acknowledged by it. */
  abstract open(to: RepositoryName, actor: string, algorithm: DigestAlgorithm): Promise<string>;

  abstract find(of: RepositoryName, id: string): Promise<UploadSession | undefined>;

  /**
   * Takes a session for one writer. A writer that does not come back loses it when `leaseMs` have passed.
   * @throws DomainError ERR_OCI_UPLOAD_BUSY, to be asked again later, while another has it
   */
  abstract hold(of: RepositoryName, id: string, owner: string, leaseMs: number): Promise<UploadSession | undefined>;

  /** Keeps the session for longer. False: another took it over, and what this writer does no longer counts. */
  abstract renew(id: string, tenant: string, owner: string, leaseMs: number): Promise<boolean>;

  /** Lets go of a session with what it has now. False: another took it over. */
  abstract release(id: string, tenant: string, owner: string, upload: PartialUpload | null): Promise<boolean>;

  /** Ends a session; what the blob store has of it is the caller's to discard. */
  abstract remove(of: RepositoryName, id: string): Promise<void>;

  /**
   * Records a proven blob, links it to the repository and ends the session it came by, all or nothing.
   * @returns the record that holds: an earlier one of the digest wins, and the later object is the caller's to remove
   */
  abstract link(to: RepositoryName, actor: string, blob: StoredBlob, session?: string): Promise<StoredBlob>;

  /** Links a blob that the tenant may read in `from`, or in any of its repositories when `from` is undefined. Undefined: there is none. */
  abstract mount(to: RepositoryName, actor: string, digest: StoredBlob['digest'], from?: RepositoryName): Promise<StoredBlob | undefined>;

  /** Takes away sessions nobody touched since `before`, some at a time, and gives what the blob store has of them. */
  abstract sweep(before: Date, limit: number): Promise<readonly PartialUpload[]>;
}
