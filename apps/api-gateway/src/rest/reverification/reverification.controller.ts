import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ReverificationAnswer, ReverificationView, StartReverification } from '@packs/contracts';
import type { Principal } from '@packs/domain';
import { CommandBus, ReverificationReadModel } from '@packs/ports';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';

/** The pass over a tenant's versions that follows each change of its keys. */
@ApiTags('trust')
@Controller('api/reverification')
export class ReverificationController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reverifications: ReverificationReadModel,
  ) {}

  @Get()
  @Operation('packs.read', 'How far the verification of all published versions by the keys of today is', 'getReverification')
  @ApiOkResponse({ type: ReverificationAnswer })
  async get(@Caller() { tenant }: Principal): Promise<ReverificationAnswer> {
    return { reverification: (await this.reverifications.find(tenant)) ?? null };
  }

  @Post()
  @HttpCode(202)
  @Operation('packs.admin', 'Verify all published versions again', 'startReverification', 'upkeep')
  @ApiAcceptedResponse({ type: ReverificationView, description: 'It takes the place of one that has not ended' })
  async start(@Caller() { tenant, actor }: Principal): Promise<ReverificationView> {
    return (await this.commands.send(StartReverification, { tenant, actor })).reverification;
  }
}
