import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBearerAuth, ApiDefaultResponse, ApiExtension, ApiOperation } from '@nestjs/swagger';
import { Problem } from '@packs/contracts';
import type { Scope } from '@packs/domain';
import { RequireScope } from './access';
import type { Effect, RouteRule } from './sealed-mode';

/** What a route does, the scope it needs, and that its failures are problem+json. Every route but a read also says what its effect is. */
export function Operation(scope: Scope, summary: string, operationId: string, effect?: Effect): MethodDecorator {
  return applyDecorators(
    RequireScope(scope),
    RouteConfig({ scope, effect } satisfies RouteRule),
    ApiExtension('x-effect', effect ?? 'read'),
    ApiBearerAuth(),
    ApiExtension('x-required-scope', scope),
    ApiOperation({ summary, operationId, description: `Scope: \`${scope}\`` }),
    ApiDefaultResponse({ description: 'Problem (RFC 9457)', type: Problem }),
  );
}
