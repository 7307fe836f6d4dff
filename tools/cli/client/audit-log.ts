import type { AuditEntryView, AuditList } from '@packs/contracts';
import type { RegistryClient } from './registry-client';

interface AuditFilter {
  readonly packId?: string;
  readonly type?: string;
  /** Only entries behind this `seq`. */
  readonly after: number;
}

const PAGE = 200;

/** The entries of the tenant's audit log in their order, page by page. */
export async function* readAudit(registry: RegistryClient, filter: AuditFilter): AsyncGenerator<AuditEntryView, void> {
  for (let after: number | null = filter.after; after !== null;) {
    const page: AuditList = await registry.get<AuditList>('/api/audit', { ...filter, after, limit: PAGE });
    yield* page.entries;
    after = page.next;
  }
}
