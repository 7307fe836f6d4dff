import { Controller, Delete, Param, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DeprecateQuery, DeprecateVersion, VersionView } from '@packs/contracts';
import { DomainError, parsePackId, parseVersion, type Principal } from '@packs/domain';
import { CommandBus, PackReadModel } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf, viewpointOf } from '../../http/origin';

@ApiTags('versions')
@Controller('api/packs/:packId/versions/:version')
export class DeprecateVersionController {
  constructor(
    private readonly commands: CommandBus,
    private readonly packs: PackReadModel,
  ) {}

  @Delete()
  @Operation('packs.write', 'Deprecate a version: it leaves the default queries, its bytes stay', 'deprecateVersion', 'mutation')
  @ApiOkResponse({ type: VersionView })
  async deprecate(
    @Param('packId') packId: string,
    @Param('version') version: string,
    @Query() { reason, replacement }: DeprecateQuery,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
  ): Promise<VersionView> {
    const target = { packId: parsePackId(packId), version: parseVersion(version) };
    await this.commands.send(DeprecateVersion, {
      ...originOf(caller, request),
      ...target,
      reason: reason ?? null,
      replacement: replacement ?? null,
    });
    const found = await this.packs.findVersion(viewpointOf(caller, undefined), target.packId, target.version);
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', `no version ${version} of pack ${packId}`);
    return found.view;
  }
}
