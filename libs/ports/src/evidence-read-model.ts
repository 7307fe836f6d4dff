import type { Digest, SigningPolicy, Verdict } from '@packs/domain';
import type { BlobRef } from './blob-store';

/** An entry of the audit log as it is proven: the bytes of its leaf, never rebuilt. */
export interface AuditedLeaf {
  readonly seq: number;
  readonly bytes: Buffer;
  /** RFC 6962 leaf hash, hex. */
  readonly hash: string;
}

export interface LeafQuery {
  readonly packId: string;
  readonly version: string;
  readonly after: number;
  readonly limit: number;
}

/** What was decided about a tenant's own versions, and by what. */
export abstract class EvidenceReadModel {
  /** Of the version, of what is attested about it, and of each channel it was let into, by hash. */
  abstract verdicts(
    tenant: string,
    packId: string,
    version: string,
    limit: number,
  ): Promise<readonly { readonly hash: Digest; readonly verdict: Verdict }[]>;
  abstract policies(
    tenant: string,
    names: readonly { readonly name: string; readonly version: number }[],
  ): Promise<readonly SigningPolicy[]>;
  /** Stored blobs that the documents of the version name, as far as they are there. */
  abstract blobs(tenant: string, digests: readonly Digest[]): Promise<readonly BlobRef[]>;
  /** Audit entries about the version but those that its evidence was given out, in order of `seq`. */
  abstract leaves(tenant: string, query: LeafQuery): Promise<readonly AuditedLeaf[]>;
}
