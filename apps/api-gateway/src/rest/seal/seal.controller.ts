import { Body, Controller, Get, HttpCode, Post, Put, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApproveUnseal, SealInput, SealView, UpdateSeal } from '@packs/contracts';
import type { Principal, Seal } from '@packs/domain';
import { CommandBus } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';
import { CurrentSeal } from '../../http/sealed-mode';

/** Whether clients can change what the tenant has. */
@ApiTags('operations')
@Controller('api/sealed')
export class SealController {
  constructor(
    private readonly seals: CurrentSeal,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', 'Whether the registry is sealed, by what, and who asked to unseal it', 'getSealed')
  @ApiOkResponse({ type: SealView })
  async get(@Caller() caller: Principal): Promise<SealView> {
    return toView(await this.seals.of(caller));
  }

  @Put()
  @Operation(
    'packs.admin',
    'Seal the registry for the tenant, or ask two others to approve that it is unsealed',
    'putSealed',
    'allowed-when-sealed',
  )
  @ApiOkResponse({ type: SealView })
  async put(@Body() { sealed, reason }: SealInput, @Caller() caller: Principal, @Req() request: FastifyRequest): Promise<SealView> {
    return toView((await this.commands.send(UpdateSeal, { ...originOf(caller, request), sealed, reason })).seal);
  }

  @Post('approvals')
  @HttpCode(200)
  @Operation(
    'packs.approve',
    'Approve the open request to unseal; the second of two approvers unseals',
    'approveUnseal',
    'allowed-when-sealed',
  )
  @ApiOkResponse({ type: SealView })
  async approve(@Caller() caller: Principal, @Req() request: FastifyRequest): Promise<SealView> {
    return toView((await this.commands.send(ApproveUnseal, originOf(caller, request))).seal);
  }
}

function toView({ pendingUnseal, ...seal }: Seal): SealView {
  return { ...seal, pendingUnseal: pendingUnseal && { ...pendingUnseal, approvals: [...pendingUnseal.approvals] } };
}
