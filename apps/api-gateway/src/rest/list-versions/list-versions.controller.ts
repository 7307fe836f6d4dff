import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { VersionList, VersionListQuery } from '@packs/contracts';
import { DomainError, parsePackId, type Principal } from '@packs/domain';
import { PackReadModel } from '@packs/ports';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { viewpointOf } from '../../http/origin';

@ApiTags('versions')
@Controller('api/packs/:packId/versions')
export class ListVersionsController {
  constructor(private readonly packs: PackReadModel) {}

  @Get()
  @Operation('packs.read', 'Versions of a pack, newest first', 'listVersions')
  @ApiOkResponse({ type: VersionList })
  async list(@Param('packId') packId: string, @Query() query: VersionListQuery, @Caller() caller: Principal): Promise<VersionList> {
    const found = await this.packs.listVersions(viewpointOf(caller, query.namespace), parsePackId(packId), query);
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', `no pack ${packId}`);
    return found;
  }
}
