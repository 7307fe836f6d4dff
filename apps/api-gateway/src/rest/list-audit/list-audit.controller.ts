import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AuditList, AuditListQuery } from '@packs/contracts';
import type { Principal } from '@packs/domain';
import { AuditReadModel } from '@packs/ports';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';

@ApiTags('audit')
@Controller('api/audit')
export class ListAuditController {
  constructor(private readonly audit: AuditReadModel) {}

  @Get()
  @Operation('packs.read', "The tenant's audit log, in order", 'listAudit')
  @ApiOkResponse({ type: AuditList })
  async list(@Query() query: AuditListQuery, @Caller() caller: Principal): Promise<AuditList> {
    const found = await this.audit.entries(caller.tenant, { ...query, limit: query.limit + 1 });
    const page = found.slice(0, query.limit).map(entry => ({ ...entry, signatures: [...entry.signatures] }));
    return { entries: page, next: found.length > query.limit ? (page.at(-1)?.seq ?? null) : null };
  }
}
