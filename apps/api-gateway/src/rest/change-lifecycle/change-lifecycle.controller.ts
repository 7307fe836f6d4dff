import { Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ArchiveVersion, DeprecateVersion, LifecycleInput, VersionView } from '@packs/contracts';
import { DomainError, parsePackId, parseVersion, type Principal } from '@packs/domain';
import { CommandBus, PackReadModel } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf, viewpointOf } from '../../http/origin';

@ApiTags('versions')
@Controller('api/packs/:packId/versions/:version/lifecycle')
export class ChangeLifecycleController {
  constructor(
    private readonly commands: CommandBus,
    private readonly packs: PackReadModel,
  ) {}

  @Post()
  @HttpCode(200)
  @Operation(
    'packs.write',
    'Deprecate or archive a version: it leaves the lists, its bytes and its number stay',
    'changeLifecycle',
    'mutation',
  )
  @ApiOkResponse({ type: VersionView })
  async change(
    @Param('packId') packId: string,
    @Param('version') version: string,
    @Body() { state, reason, replacement }: LifecycleInput,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
  ): Promise<VersionView> {
    const target = { packId: parsePackId(packId), version: parseVersion(version) };
    const change = { ...originOf(caller, request), ...target, reason: reason ?? null, replacement: replacement ?? null };
    if (state === 'archived') await this.commands.send(ArchiveVersion, change);
    else await this.commands.send(DeprecateVersion, change);
    const found = await this.packs.findVersion(viewpointOf(caller, undefined), target.packId, target.version);
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', `no version ${version} of pack ${packId}`);
    return found.view;
  }
}
