import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PackList, PackListQuery } from '@packs/contracts';
import type { Principal } from '@packs/domain';
import { PackReadModel } from '@packs/ports';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { viewpointOf } from '../../http/origin';

@ApiTags('packs')
@Controller('api/packs')
export class ListPacksController {
  constructor(private readonly packs: PackReadModel) {}

  @Get()
  @Operation('packs.read', 'Packs of a namespace, by packId', 'listPacks')
  @ApiOkResponse({ type: PackList })
  list(@Query() query: PackListQuery, @Caller() caller: Principal): Promise<PackList> {
    return this.packs.listPacks(viewpointOf(caller, query.tenant ?? query.namespace), query);
  }
}
