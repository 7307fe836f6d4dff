import { Body, Controller, Get, Param, Put, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PolicyInput, PolicyList, PolicyView, UpdatePolicy } from '@packs/contracts';
import { DomainError, isName, NAME_PATTERN, parsePolicyRequirements, parsePolicyRule, type Principal } from '@packs/domain';
import { CommandBus, TrustReadModel } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';

const POLICY_NAME_MAX = 64;

/** Who must have signed what a tenant publishes. */
@ApiTags('trust')
@Controller('api/policies')
export class PoliciesController {
  constructor(
    private readonly trust: TrustReadModel,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', 'The active signing policies', 'listPolicies')
  @ApiOkResponse({ type: PolicyList })
  async list(@Caller() caller: Principal): Promise<PolicyList> {
    return { policies: [...(await this.trust.state(caller.tenant)).policies] };
  }

  @Put(':name')
  @Operation('packs.admin', 'Write the next version of a signing policy', 'putPolicy', 'mutation')
  @ApiOkResponse({ type: PolicyView })
  async put(
    @Param('name') name: string,
    @Body() body: PolicyInput,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
  ): Promise<PolicyView> {
    if (!isName(name, POLICY_NAME_MAX)) {
      throw new DomainError('ERR_PACK_POLICY_INVALID', `the policy's name must match ${NAME_PATTERN}`, {
        errors: [{ field: 'name', message: `does not match ${NAME_PATTERN}` }],
      });
    }
    const { policy } = await this.commands.send(UpdatePolicy, {
      ...originOf(caller, request),
      name,
      channel: body.channel ?? null,
      packType: body.packType ?? null,
      rule: parsePolicyRule(body.rule),
      unsigned: body.unsigned,
      ...(body.require !== undefined && { require: parsePolicyRequirements(body.require) }),
    });
    return policy;
  }
}
