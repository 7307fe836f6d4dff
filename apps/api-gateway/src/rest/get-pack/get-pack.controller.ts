import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { NamespaceQuery, PackDetail } from '@packs/contracts';
import { DomainError, parsePackId, type Principal } from '@packs/domain';
import { PackReadModel } from '@packs/ports';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { viewpointOf } from '../../http/origin';

@ApiTags('packs')
@Controller('api/packs/:packId')
export class GetPackController {
  constructor(private readonly packs: PackReadModel) {}

  @Get()
  @Operation('packs.read', 'One pack, as its newest version shows it', 'getPack')
  @ApiOkResponse({ type: PackDetail })
  async get(@Param('packId') packId: string, @Query() query: NamespaceQuery, @Caller() caller: Principal): Promise<PackDetail> {
    const found = await this.packs.findPack(viewpointOf(caller, query.namespace), parsePackId(packId));
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', `no pack ${packId}`);
    return found;
  }
}
