import { Body, Controller, Get, Param, Put, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ChannelInput, ChannelList, ChannelView, UpdateChannel } from '@packs/contracts';
import { parseChannel, type Principal } from '@packs/domain';
import { ChannelReadModel, CommandBus } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';

/** The channels a tenant can publish and promote to. */
@ApiTags('channels')
@Controller('api/channels')
export class ChannelsController {
  constructor(
    private readonly channels: ChannelReadModel,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', "The channels every tenant has, and the tenant's own", 'listChannels')
  @ApiOkResponse({ type: ChannelList })
  async list(@Caller() caller: Principal): Promise<ChannelList> {
    return { channels: await this.channels.channels(caller.tenant) };
  }

  @Put(':name')
  @Operation('packs.write', "Add a channel of the tenant's own, or describe it anew", 'putChannel', 'mutation')
  @ApiOkResponse({ type: ChannelView })
  async put(
    @Param('name') name: string,
    @Body() { description }: ChannelInput,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
  ): Promise<ChannelView> {
    const { channel } = await this.commands.send(UpdateChannel, { ...originOf(caller, request), name: parseChannel(name), description });
    return { ...channel, builtIn: false };
  }
}
