import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CancelScrub, GetScrub, ScrubInput, ScrubView, StartScrub } from '@packs/contracts';
import type { Principal } from '@packs/domain';
import { CommandBus } from '@packs/ports';
import type { FastifyReply } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';

/** What lies at rest, compared with what was proven. For administrators of the operators' tenant. */
@ApiTags('operations')
@Controller('api/scrubs')
export class ScrubsController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @HttpCode(202)
  @Operation('packs.admin', 'Read the blob store and put what is damaged in quarantine', 'startScrub', 'upkeep')
  @ApiAcceptedResponse({ type: ScrubView, headers: { location: { schema: { type: 'string' } } } })
  async start(
    @Body() { since, sample }: ScrubInput,
    @Caller() { tenant, actor }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ScrubView> {
    const from = since === undefined ? null : new Date(since).toISOString();
    const { scrub } = await this.commands.send(StartScrub, { tenant, actor, since: from, sample });
    void reply.header('location', `/api/scrubs/${scrub.id}`);
    return scrub;
  }

  @Get(':id')
  @Operation('packs.admin', 'How far a scrub is, and what it has found', 'getScrub')
  @ApiOkResponse({ type: ScrubView })
  async get(@Param('id') id: string, @Caller() { tenant, actor }: Principal): Promise<ScrubView> {
    return (await this.commands.send(GetScrub, { tenant, actor, id: id.slice(0, 64) })).scrub;
  }

  @Delete(':id')
  @Operation('packs.admin', 'End a scrub; what it has found stays in quarantine', 'cancelScrub', 'upkeep')
  @ApiOkResponse({ type: ScrubView })
  async cancel(@Param('id') id: string, @Caller() { tenant, actor }: Principal): Promise<ScrubView> {
    return (await this.commands.send(CancelScrub, { tenant, actor, id: id.slice(0, 64) })).scrub;
  }
}
