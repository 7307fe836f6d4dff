import type { Digest } from '@packs/domain';
import type { Selection } from '../selection';

export const KIT_JOB_STATES = ['queued', 'running', 'succeeded', 'failed'] as const;
export type KitJobState = (typeof KIT_JOB_STATES)[number];

/** A stored blob as a job's record names it. */
interface StoredRef {
  readonly digest: Digest;
  readonly size: number;
  readonly objectKey: string;
}

export interface ExportRequest {
  readonly selection: Selection;
  /** Null: as of when the job is begun. */
  readonly seq: number | null;
}

export interface ImportRequest {
  readonly kit: StoredRef;
  readonly signature: StoredRef;
  /** Ends with the report. */
  readonly preflight: boolean;
  /** Takes over the kit's keys, policies and allow-list in place of the tenant's own. */
  readonly acceptTrust: boolean;
}

export interface KitJobError {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly errors: readonly { readonly field?: string; readonly pointer?: string; readonly message: string }[];
}

/** What an import would do, found out before it does anything. */
export interface ImportReport {
  readonly format: string;
  readonly generation: number;
  readonly source: { readonly tenant: string; readonly log: Digest };
  readonly exporter: { readonly name: string; readonly keyId: Digest };
  readonly selection: Selection;
  readonly versions: { readonly total: number; readonly new: number; readonly known: number; readonly conflicting: number };
  /** The first of them. */
  readonly conflicting: readonly { readonly packId: string; readonly version: string }[];
  /** `unchanged`: this very kit was imported; `stale`: a newer one of its source was. */
  readonly outcome: 'import' | 'unchanged' | 'stale' | 'conflict';
  readonly newestImported: number | null;
}

export interface ExportResult {
  readonly digest: Digest;
  readonly size: number;
  readonly signature: Digest;
  readonly versions: number;
  /** Versions left out, because their signatures did not satisfy their policy under the keys of that time. */
  readonly withdrawn: number;
}

export interface ImportResult {
  readonly outcome: 'imported' | 'unchanged' | 'preflight';
  readonly added: number;
  readonly known: number;
}
