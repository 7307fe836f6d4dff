import type { Digest } from '@packs/domain';
import type { BlobRef } from './blob-store';

/** A signed trust bundle that a tenant has put in force. */
export interface ImportedTrustBundle {
  readonly version: number;
  /** SHA-256 of what was signed. */
  readonly digest: Digest;
  /** The signed file. */
  readonly document: BlobRef;
  readonly material: Digest;
  readonly validUntil: string;
  readonly importedAt: string;
  readonly importedBy: string;
}

export abstract class TrustBundleStore {
  /** The newest one. */
  abstract current(tenant: string): Promise<ImportedTrustBundle | undefined>;
  abstract add(tenant: string, bundle: ImportedTrustBundle): Promise<void>;
}

/** That a tenant trusts something else than the trust bundle file of the installation says. */
interface TrustDrift {
  readonly active: Digest;
  readonly expected: Digest;
  readonly bundleVersion: number;
}

/** A part of what is trusted that ends within `days`; 0: it has ended. */
export interface NearEnding {
  readonly kind: 'key' | 'certificate-authority' | 'timestamp-authority' | 'log' | 'bundle';
  readonly name: string;
  readonly at: string;
  readonly days: number;
}

/** What was found out about a tenant's trust, and told. */
export interface TrustFindings {
  readonly drift: TrustDrift | null;
  readonly endings: readonly NearEnding[];
}

export interface TrustWatch {
  /** Since when this trust epoch holds. */
  readonly changedAt: string;
  /** The bundle file it was compared with. */
  readonly compared: Digest | null;
  readonly findings: TrustFindings;
}

export interface TrustTotals {
  readonly drifted: number;
  /** How many parts end within so many days, by days. */
  readonly endings: Readonly<Record<string, number>>;
}

export interface ComparedFile {
  readonly digest: Digest;
  /** `*`: every tenant. */
  readonly tenant: string;
}

/** What time does to trust: asked for by nobody, so it is looked at when its time has come. */
export abstract class TrustWatchStore {
  /**
   * Tenants to look at: their trust changed, the moment came that was waited for, or they were compared with another file than this one. In a
   * transaction without a tenant.
   * @param file null: there is none; undefined: nobody can tell
   */
  abstract due(
    now: string,
    file: ComparedFile | null | undefined,
    page: { readonly after: string; readonly limit: number },
  ): Promise<string[]>;
  abstract totals(): Promise<TrustTotals>;
  abstract find(tenant: string): Promise<TrustWatch | undefined>;
  /** To be looked at from this moment on. */
  abstract wake(tenant: string, at: string): Promise<void>;
  /** @param checkAt when to look again unless something changes; null: only then */
  abstract put(tenant: string, watch: TrustWatch, checkAt: string | null): Promise<void>;
}
