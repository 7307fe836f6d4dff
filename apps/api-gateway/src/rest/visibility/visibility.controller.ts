import { Body, Controller, Get, Put, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { UpdateVisibility, VisibilityInput, VisibilityView } from '@packs/contracts';
import type { Principal } from '@packs/domain';
import { CommandBus, NamespacePolicies, TrustReadModel } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';

/** Whom a tenant may show its packs to, and what its namespace shows to everybody. */
@ApiTags('trust')
@Controller('api/visibility')
export class VisibilityController {
  constructor(
    private readonly trust: TrustReadModel,
    private readonly namespaces: NamespacePolicies,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', 'Tenants that tenantVisibility of a pack may name, and what the namespace shows to everybody', 'getVisibility')
  @ApiOkResponse({ type: VisibilityView })
  async get(@Caller() caller: Principal): Promise<VisibilityView> {
    const [{ shareWith }, policy] = await Promise.all([this.trust.state(caller.tenant), this.namespaces.of(caller.tenant)]);
    return { shareWith: [...shareWith], ...policy };
  }

  @Put()
  @Operation(
    'packs.admin',
    'Set the tenants that tenantVisibility of a pack may name, and what the namespace shows',
    'putVisibility',
    'mutation',
  )
  @ApiOkResponse({ type: VisibilityView })
  async put(@Body() body: VisibilityInput, @Caller() caller: Principal, @Req() request: FastifyRequest): Promise<VisibilityView> {
    const { shareWith, publicRead, pullByDigestOnly } = body;
    const { changed: _, ...visibility } = await this.commands.send(UpdateVisibility, {
      ...originOf(caller, request),
      shareWith,
      ...(publicRead !== undefined && { publicRead }),
      ...(pullByDigestOnly !== undefined && { pullByDigestOnly }),
    });
    return visibility;
  }
}
