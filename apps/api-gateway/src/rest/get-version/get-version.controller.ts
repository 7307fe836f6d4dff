import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { NamespaceQuery, VersionView } from '@packs/contracts';
import type { Principal } from '@packs/domain';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { viewpointOf } from '../../http/origin';
import { ServableVersions } from '../../serving/servable-versions';

@ApiTags('versions')
@Controller('api/packs/:packId/versions/:version')
export class GetVersionController {
  constructor(private readonly versions: ServableVersions) {}

  @Get()
  @Operation('packs.read', 'One version: manifest, signatures, compatibility, verdict', 'getVersion')
  @ApiOkResponse({ type: VersionView })
  async get(
    @Param('packId') packId: string,
    @Param('version') version: string,
    @Query() query: NamespaceQuery,
    @Caller() caller: Principal,
  ): Promise<VersionView> {
    return (await this.versions.find(viewpointOf(caller, query.namespace), packId, version)).view;
  }
}
