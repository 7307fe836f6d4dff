import { Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PromoteAnswer, PromoteInput, PromoteVersion } from '@packs/contracts';
import { DomainError, parsePackId, parseVersion, type Principal } from '@packs/domain';
import { CommandBus } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';

@ApiTags('channels')
@Controller('api/packs/:packId/promote')
export class PromoteVersionController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @HttpCode(200)
  @Operation('packs.write', "Point a channel at a published version, if the channel's policy accepts it", 'promoteVersion', 'mutation')
  @ApiOkResponse({ type: PromoteAnswer })
  async promote(
    @Param('packId') id: string,
    @Body() body: PromoteInput,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
  ): Promise<PromoteAnswer> {
    const packId = parsePackId(id);
    const version = parseVersion(body.version);
    const { channel, from = null } = body;
    const reply = await this.commands.send(PromoteVersion, { ...originOf(caller, request), packId, version, channel, from });
    if (reply.outcome === 'rejected') {
      throw new DomainError('ERR_PACK_VERDICT_REJECTED', `channel ${channel} does not accept the version: see errors`, {
        details: { verdict: { ...reply.verdict, hash: reply.verdictHash } },
        errors: reply.faults,
      });
    }
    const { outcome, verdictHash, ...promotion } = reply;
    return { packId, version, tenant: caller.tenant, channel, ...promotion, verdict: verdictHash, changed: outcome === 'promoted' };
  }
}
