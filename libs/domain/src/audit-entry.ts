import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json';
import type { Digest } from './digest';

/** One row of a tenant's audit log. `seq` is the order of appending; `occurredAt` is when the change was committed. */
export interface AuditEntry {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly tenant: string;
  readonly packId: string | null;
  readonly version: string | null;
  readonly actor: string;
  /** The client's User-Agent, unverified. */
  readonly source: string | null;
  readonly signatures: readonly Digest[];
  readonly metadataHash: Digest;
  readonly occurredAt: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The leaf of a Merkle log over the entries: its bytes are kept, never rebuilt. */
export interface AuditLeaf {
  readonly bytes: Buffer;
  /** SHA-256(0x00 ‖ leaf), RFC 6962 §2.1. */
  readonly hash: Buffer;
}

export function auditLeaf(entry: AuditEntry): AuditLeaf {
  const bytes = Buffer.from(canonicalJson(entry));
  return { bytes, hash: createHash('sha256').update(Buffer.of(0)).update(bytes).digest() };
}
