import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PolicyVersionList, PolicyVersionsQuery } from '@packs/contracts';
import { DomainError, type Principal } from '@packs/domain';
import { TrustReadModel } from '@packs/ports';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';

/** Every version of a policy that ever decided: verdicts name them. */
@ApiTags('trust')
@Controller('api/policies/:name/versions')
export class PolicyVersionsController {
  constructor(private readonly trust: TrustReadModel) {}

  @Get()
  @Operation('packs.read', 'The versions of a signing policy, who wrote them and when', 'listPolicyVersions')
  @ApiOkResponse({ type: PolicyVersionList })
  async list(
    @Param('name') name: string,
    @Query() query: PolicyVersionsQuery,
    @Caller() { tenant }: Principal,
  ): Promise<PolicyVersionList> {
    const found = await this.trust.policyVersions(tenant, name, query);
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', `no policy ${name.slice(0, 64)}`);
    return found;
  }
}
