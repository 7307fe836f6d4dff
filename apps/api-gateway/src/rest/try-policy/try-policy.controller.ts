import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PolicyTrialAnswer, PolicyTrialInput, TryPolicy, type TryPolicyRequest } from '@packs/contracts';
import {
  DomainError,
  isName,
  NAME_PATTERN,
  parseChannel,
  parsePackId,
  parsePolicyRequirements,
  parsePolicyRule,
  parseVersion,
  type Principal,
} from '@packs/domain';
import { CommandBus } from '@packs/ports';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';

const POLICY_NAME_MAX = 64;

/** What another policy would decide otherwise. It changes nothing, so that a sealed registry answers too. */
@ApiTags('trust')
@Controller('api/policies/:name/what-if')
export class TryPolicyController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @HttpCode(200)
  @Operation('packs.admin', 'What would be decided otherwise about published versions if this policy was active', 'tryPolicy', 'upkeep')
  @ApiOkResponse({ type: PolicyTrialAnswer })
  async try(@Param('name') name: string, @Body() body: PolicyTrialInput, @Caller() { tenant }: Principal): Promise<PolicyTrialAnswer> {
    if (!isName(name, POLICY_NAME_MAX)) {
      throw new DomainError('ERR_PACK_POLICY_INVALID', `the policy's name must match ${NAME_PATTERN}`, {
        errors: [{ field: 'name', message: `does not match ${NAME_PATTERN}` }],
      });
    }
    const { channel, packType, unsigned, require, limit, cursor } = body;
    const binding = { ...(channel !== undefined && { channel }), ...(packType !== undefined && { packType }) };
    const required = require !== undefined && { require: parsePolicyRequirements(require) };
    const policy = { name, version: 1, ...binding, rule: parsePolicyRule(body.rule), unsigned, ...required };
    const { next, ...found } = await this.commands.send(TryPolicy, { tenant, policy, limit, after: readCursor(cursor) });
    return { ...found, next: next && [next.packId, next.version, next.channel].join('@') };
  }
}

/** @throws DomainError ERR_PACK_REQUEST_INVALID */
function readCursor(cursor: string | undefined): TryPolicyRequest['after'] {
  if (cursor === undefined) return null;
  const [packId, version, channel, ...others] = cursor.split('@');
  try {
    if (packId !== undefined && version !== undefined && channel !== undefined && others.length === 0) {
      return { packId: parsePackId(packId), version: parseVersion(version), channel: parseChannel(channel) };
    }
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
  }
  throw new DomainError('ERR_PACK_REQUEST_INVALID', 'the cursor is not one of an answer', {
    errors: [{ field: 'cursor', message: 'is not one of an answer' }],
  });
}
