import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DeadLetterList, DeadLetterListQuery, DeadLetterView, ListDeadLetters, ReplayDeadLetter } from '@packs/contracts';
import type { Principal } from '@packs/domain';
import { CommandBus } from '@packs/ports';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';

/** Events a consumer gave up on. */
@ApiTags('operations')
@Controller('api/dead-letters')
export class DeadLettersController {
  constructor(private readonly commands: CommandBus) {}

  @Get()
  @Operation('packs.admin', 'Events that were set aside, oldest first', 'listDeadLetters')
  @ApiOkResponse({ type: DeadLetterList })
  list(@Query() query: DeadLetterListQuery, @Caller() caller: Principal): Promise<DeadLetterList> {
    return this.commands.send(ListDeadLetters, { tenant: caller.tenant, after: query.cursor ?? null, limit: Math.min(query.limit, 100) });
  }

  @Post(':id/replay')
  @HttpCode(200)
  @Operation('packs.admin', 'Hand an event to its consumer once more', 'replayDeadLetter')
  @ApiOkResponse({ type: DeadLetterView })
  async replay(@Param('id') id: string, @Caller() caller: Principal): Promise<DeadLetterView> {
    return (await this.commands.send(ReplayDeadLetter, { tenant: caller.tenant, id: id.slice(0, 64) })).deadLetter;
  }
}
