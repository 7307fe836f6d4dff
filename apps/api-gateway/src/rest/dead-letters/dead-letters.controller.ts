import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CONSUMER_COMMANDS, CONSUMER_PROCESSES, DeadLetterList, DeadLetterListQuery, DeadLetterView } from '@packs/contracts';
import { DomainError, type Principal } from '@packs/domain';
import { CommandBus } from '@packs/ports';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';

const LIST_MAX = 100;

/** Events a consumer gave up on. */
@ApiTags('operations')
@Controller('api/dead-letters')
export class DeadLettersController {
  constructor(private readonly commands: CommandBus) {}

  @Get()
  @Operation('packs.admin', 'Events that were set aside, oldest first', 'listDeadLetters')
  @ApiOkResponse({ type: DeadLetterList })
  async list(@Query() query: DeadLetterListQuery, @Caller() caller: Principal): Promise<DeadLetterList> {
    const limit = Math.min(query.limit, LIST_MAX);
    const request = { tenant: caller.tenant, after: query.cursor ?? null, limit };
    const lists = await Promise.all(
      CONSUMER_PROCESSES.map(process => this.commands.send(CONSUMER_COMMANDS[process].listDeadLetters, request)),
    );
    const all = lists.flatMap(list => list.deadLetters).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const page = all.slice(0, limit);
    const more = all.length > limit || lists.some(list => list.next !== null);
    return { deadLetters: page, next: more ? (page.at(-1)?.id ?? null) : null };
  }

  @Post(':id/replay')
  @HttpCode(200)
  @Operation('packs.admin', 'Hand an event to its consumer once more', 'replayDeadLetter', 'upkeep')
  @ApiOkResponse({ type: DeadLetterView })
  async replay(@Param('id') id: string, @Caller() caller: Principal): Promise<DeadLetterView> {
    const request = { tenant: caller.tenant, id: id.slice(0, 64) };
    for (const process of CONSUMER_PROCESSES) {
      try {
        return (await this.commands.send(CONSUMER_COMMANDS[process].replayDeadLetter, request)).deadLetter;
      } catch (error) {
        if (!(error instanceof DomainError && error.code === 'ERR_PACK_NOT_FOUND')) throw error;
      }
    }
    throw new DomainError('ERR_PACK_NOT_FOUND', `no dead letter ${request.id}`);
  }
}
