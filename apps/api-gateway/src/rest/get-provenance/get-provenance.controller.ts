import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { NamespaceQuery, ProvenanceReport } from '@packs/contracts';
import type { Principal } from '@packs/domain';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { viewpointOf } from '../../http/origin';
import { GetProvenance } from './get-provenance';

@ApiTags('attestations')
@Controller('api/packs/:packId/versions/:version/provenance')
export class GetProvenanceController {
  constructor(private readonly getProvenance: GetProvenance) {}

  @Get()
  @Operation('packs.read', 'Where a version comes from, as far as verified attestations say', 'getProvenance')
  @ApiOkResponse({ type: ProvenanceReport })
  get(
    @Param('packId') packId: string,
    @Param('version') version: string,
    @Query() query: NamespaceQuery,
    @Caller() caller: Principal,
  ): Promise<ProvenanceReport> {
    return this.getProvenance.execute(viewpointOf(caller, query.namespace), packId, version);
  }
}
