import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CheckParity, ParityCheckView, ParityQuery, ParityRequest, ParityResponse } from '@packs/contracts';
import { DomainError, type Principal } from '@packs/domain';
import { CommandBus, ParityReadModel } from '@packs/ports';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';

/** How mirrors stand beside the registry. */
@ApiTags('mirrors')
@Controller('api/parity')
export class ParityController {
  constructor(
    private readonly parity: ParityReadModel,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', 'How mirrors stand, and each version at them', 'getParity')
  @ApiOkResponse({ type: ParityResponse })
  async show(@Query() query: ParityQuery, @Caller() caller: Principal): Promise<ParityResponse> {
    const [mirrorId, state, after] = [query.mirrorId ?? null, query.state ?? null, query.cursor ?? null];
    const mirrors = await this.parity.mirrors(caller.tenant, mirrorId);
    if (mirrorId !== null && mirrors.length === 0) throw new DomainError('ERR_MIRROR_NOT_FOUND', `no mirror ${mirrorId}`);
    return { mirrors, ...(await this.parity.rows(caller.tenant, { mirrorId, state, after, limit: query.limit })) };
  }

  @Post('checks')
  @HttpCode(202)
  @Operation('packs.admin', 'Compare a mirror with the registry now', 'checkParity', 'upkeep')
  @ApiAcceptedResponse({ type: ParityCheckView })
  async check(
    @Body() { mirrorId, depth }: ParityRequest,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ParityCheckView> {
    const { check } = await this.commands.send(CheckParity, { ...originOf(caller, request), mirrorId, depth });
    void reply.header('location', `/api/parity/checks/${check.id}`);
    return check;
  }

  @Get('checks/:id')
  @Operation('packs.read', 'How far a comparison is, and what it found', 'getParityCheck')
  @ApiOkResponse({ type: ParityCheckView })
  async get(@Param('id') id: string, @Caller() caller: Principal): Promise<ParityCheckView> {
    const check = await this.parity.check(caller.tenant, id);
    if (!check) throw new DomainError('ERR_PARITY_NOT_FOUND', `no comparison ${id}`);
    return check;
  }
}
