import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ComplianceQuery, ComplianceSummary } from '@packs/contracts';
import type { Principal } from '@packs/domain';
import { ComplianceReadModel } from '@packs/ports';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';

@ApiTags('compliance')
@Controller('api/compliance/summary')
export class ComplianceSummaryController {
  constructor(private readonly compliance: ComplianceReadModel) {}

  @Get()
  @Operation('packs.read', "How the tenant's versions are covered by signatures, attestations and scans", 'getComplianceSummary')
  @ApiOkResponse({ type: ComplianceSummary })
  get(@Query() query: ComplianceQuery, @Caller() caller: Principal): Promise<ComplianceSummary> {
    return this.compliance.summary(caller.tenant, query);
  }
}
