import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

const DESCRIPTION = [
  'Stores, verifies and serves signed pack bundles. Failures are problem+json with a stable ERR_PACK_* code.',
  'The same content is served to OCI clients below `/v2/` as the OCI distribution specification describes it, with tokens from `/token` (the Docker token flow); both answer failures in the forms of those protocols and are not listed here.',
].join('\n\n');

/** The OpenAPI 3.1 description of the API, made from the controllers themselves. */
export function buildOpenApi(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Packs Registry')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addBearerAuth()
    .build();
  return withNullTypes(SwaggerModule.createDocument(app, config)) as OpenAPIObject;
}

/** OpenAPI 3.1 is JSON Schema, which says `null` as a type; the decorators still say `nullable`, which 3.1 does not know. */
function withNullTypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNullTypes);
  if (typeof value !== 'object' || value === null) return value;
  const { nullable, ...rest } = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withNullTypes(member)]));
  if (nullable !== true) return nullable === undefined ? rest : { nullable, ...rest };
  return typeof rest['type'] === 'string' ? { ...rest, type: [rest['type'], 'null'] } : { anyOf: [rest, { type: 'null' }] };
}
