import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { NamespaceQuery, VerdictAnswer } from '@packs/contracts';
import type { Principal } from '@packs/domain';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { viewpointOf } from '../../http/origin';
import { ServableVersions } from '../../serving/servable-versions';

/** Says of a version that is withdrawn as well why it is. */
@ApiTags('versions')
@Controller('api/packs/:packId/versions/:version/verdict')
export class GetVerdictController {
  constructor(private readonly versions: ServableVersions) {}

  @Get()
  @Operation('packs.read', 'Why a version is served, or is not: each check with its reason', 'getVerdict')
  @ApiOkResponse({ type: VerdictAnswer })
  async get(
    @Param('packId') packId: string,
    @Param('version') version: string,
    @Query() query: NamespaceQuery,
    @Caller() caller: Principal,
  ): Promise<VerdictAnswer> {
    const { found, current } = await this.versions.judged(viewpointOf(caller, query.namespace), packId, version);
    const { view } = found;
    return {
      packId: view.packId,
      tenant: view.tenant,
      version: view.version,
      state: current?.verdict.outcome === 'rejected' ? 'withdrawn' : 'served',
      stored: view.verdict,
      current: current ? { ...current.verdict, hash: current.verdictHash } : null,
      faults: current?.faults ?? [],
    };
  }
}
