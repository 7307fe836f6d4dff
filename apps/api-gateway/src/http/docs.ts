import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiDefaultResponse, ApiExtension, ApiOperation } from '@nestjs/swagger';
import { Problem } from '@packs/contracts';
import type { Scope } from '@packs/domain';
import { RequireScope } from './access';

/** What a route does, the scope it needs, and that its failures are problem+json. */
export function Operation(scope: Scope, summary: string, operationId: string): MethodDecorator {
  return applyDecorators(
    RequireScope(scope),
    ApiBearerAuth(),
    ApiExtension('x-required-scope', scope),
    ApiOperation({ summary, operationId, description: `Scope: \`${scope}\`` }),
    ApiDefaultResponse({ description: 'Problem (RFC 9457)', type: Problem }),
  );
}
