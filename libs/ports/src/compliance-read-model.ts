import type { ComplianceQuery, ComplianceSummary } from '@packs/contracts';

export abstract class ComplianceReadModel {
  /** Of the tenant's own versions. */
  abstract summary(tenant: string, query: ComplianceQuery): Promise<ComplianceSummary>;
}
