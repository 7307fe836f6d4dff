import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CONSUMER_COMMANDS, CONSUMER_PROCESSES, CONSUMERS, ReplayAnswer, ReplayInput, type ConsumerProcess } from '@packs/contracts';
import { DomainError, type Principal } from '@packs/domain';
import { CommandBus } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';

/** Runs consumers over the record of events again. */
@ApiTags('operations')
@Controller('api/replays')
export class ReplaysController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @HttpCode(200)
  @Operation('packs.admin', "Hand the tenant's recorded events to a consumer again", 'replayEvents', 'upkeep')
  @ApiOkResponse({ type: ReplayAnswer })
  replay(
    @Body() { consumer, since, rebuild }: ReplayInput,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
  ): Promise<ReplayAnswer> {
    const { replayEvents } = CONSUMER_COMMANDS[processOf(consumer)];
    // Nothing moves on the connection until the consumer has gone through the record.
    request.raw.socket.setTimeout(replayEvents.timeoutMs);
    return this.commands.send(replayEvents, {
      tenant: caller.tenant,
      consumer,
      since: since === undefined ? null : new Date(since).toISOString(),
      rebuild,
    });
  }
}

function processOf(consumer: string): ConsumerProcess {
  const { process } = CONSUMERS.find(({ name }) => name === consumer) ?? {};
  const found = CONSUMER_PROCESSES.find(one => one === process);
  if (found) return found;
  const message = `must be one of ${CONSUMERS.map(({ name }) => name).join(', ')}`;
  throw new DomainError('ERR_PACK_REQUEST_INVALID', `consumer ${message}`, { errors: [{ field: 'consumer', message }] });
}
