import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PackChannels, PackChannelsQuery } from '@packs/contracts';
import { DomainError, parsePackId, type Principal } from '@packs/domain';
import { ChannelReadModel } from '@packs/ports';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { viewpointOf } from '../../http/origin';

@ApiTags('channels')
@Controller('api/packs/:packId/channels')
export class PackChannelsController {
  constructor(private readonly channels: ChannelReadModel) {}

  @Get()
  @Operation('packs.read', "What a pack's channels point at, and how they came to it", 'getPackChannels')
  @ApiOkResponse({ type: PackChannels })
  async get(@Param('packId') packId: string, @Query() query: PackChannelsQuery, @Caller() caller: Principal): Promise<PackChannels> {
    const found = await this.channels.ofPack(viewpointOf(caller, query.namespace), parsePackId(packId), query);
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', `no pack ${packId}`);
    return found;
  }
}
