import { Body, Controller, Get, Put, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { UpdateVisibility, VisibilityInput } from '@packs/contracts';
import type { Principal } from '@packs/domain';
import { CommandBus, TrustReadModel } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';

/** Whom a tenant may show its packs to. */
@ApiTags('trust')
@Controller('api/visibility')
export class VisibilityController {
  constructor(
    private readonly trust: TrustReadModel,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', 'Tenants that tenantVisibility of a pack may name', 'getVisibility')
  @ApiOkResponse({ type: VisibilityInput })
  async get(@Caller() caller: Principal): Promise<VisibilityInput> {
    return { shareWith: [...(await this.trust.state(caller.tenant)).shareWith] };
  }

  @Put()
  @Operation('packs.admin', 'Set the tenants that tenantVisibility of a pack may name', 'putVisibility', 'mutation')
  @ApiOkResponse({ type: VisibilityInput })
  async put(@Body() body: VisibilityInput, @Caller() caller: Principal, @Req() request: FastifyRequest): Promise<VisibilityInput> {
    const { shareWith } = await this.commands.send(UpdateVisibility, { ...originOf(caller, request), shareWith: body.shareWith });
    return { shareWith };
  }
}
