import { Readable } from 'node:stream';
import { Controller, Get, Headers, Inject, Param, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { DomainError, parsePackId, type Principal } from '@packs/domain';
import { PackReadModel } from '@packs/ports';
import type { FastifyReply } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { viewpointOf } from '../../http/origin';
import { EventFeed } from './event-feed';

/** Injection token: event streams one process keeps open at a time. */
export const MAX_EVENT_STREAMS = Symbol('MAX_EVENT_STREAMS');

@ApiTags('audit')
@Controller('api/packs/:packId/events')
export class StreamEventsController {
  constructor(
    private readonly packs: PackReadModel,
    private readonly feed: EventFeed,
    @Inject(MAX_EVENT_STREAMS) private readonly maxStreams: number,
  ) {}

  @Get()
  @Operation('packs.read', 'Events of a pack: the past from Last-Event-ID on, then live (server-sent events)', 'streamEvents')
  @ApiProduces('text/event-stream')
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'The `seq` after which to begin; absent: from the first' })
  @ApiOkResponse({ schema: { type: 'string' } })
  async stream(
    @Param('packId') packId: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Caller() caller: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const after = parseEventId(lastEventId);
    if (!(await this.packs.findPack(viewpointOf(caller, undefined), parsePackId(packId)))) {
      throw new DomainError('ERR_PACK_NOT_FOUND', `no pack ${packId}`);
    }
    if (this.feed.open >= this.maxStreams)
      throw new DomainError('ERR_PACK_LIMIT', `at most ${this.maxStreams} event streams are open at a time`, { retry: 'later' });
    const ended = new AbortController();
    reply.raw.once('close', () => ended.abort());
    const entries = this.feed.entries({ tenant: caller.tenant, packId, after, until: caller.expiresAt * 1000, signal: ended.signal });
    await reply
      .headers({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
      .send(Readable.from(entries));
  }
}

function parseEventId(header: string | undefined): number {
  const id = Number(header ?? '0');
  if (header !== '' && Number.isSafeInteger(id) && id >= 0) return id;
  throw new DomainError('ERR_PACK_REQUEST_INVALID', 'Last-Event-ID must be a whole number', {
    errors: [{ field: 'Last-Event-ID', message: 'must be a whole number' }],
  });
}
