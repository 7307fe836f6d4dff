import { NAME_PATTERN, PACK_API_VERSION, PACK_ID_MAX, TENANT_MAX, VERSION_MAX } from '@packs/domain';
import { analyzerSpec, bundleSpec, policySpec, taskSpec } from './spec.schemas';

const kinds = { TaskPack: 'task', PolicyPack: 'policy', AnalyzerPack: 'analyzer', BundlePack: 'bundle' } as const;

/**
 * JSON Schema 2020-12 of `pack.yaml`. The formats `semver`, `semver-range` and `pack-path` are ours: validators that do not know them
 * treat them as annotations. That ids are unique and refer to something is checked beside the schema.
 */
export const packManifestSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://stellaops.io/schemas/pack/v1/pack.schema.json',
  title: 'StellaOps pack',
  description: 'pack.yaml at the root of a pack bundle.',
  type: 'object',
  required: ['apiVersion', 'kind', 'metadata', 'spec'],
  additionalProperties: false,
  properties: {
    apiVersion: { const: PACK_API_VERSION },
    kind: { enum: Object.keys(kinds) },
    metadata: { $ref: '#/$defs/metadata' },
    dependencies: { type: 'array', maxItems: 128, items: { $ref: '#/$defs/requirement' } },
    compatibility: { $ref: '#/$defs/compatibility' },
    spec: { type: 'object' },
  },
  allOf: Object.entries(kinds).map(([kind, type]) => ({
    if: { type: 'object', required: ['kind'], properties: { kind: { const: kind } } },
    then: { type: 'object', properties: { spec: { $ref: `#/$defs/${type}` } } },
  })),
  $defs: {
    packId: { type: 'string', pattern: NAME_PATTERN, maxLength: PACK_ID_MAX },
    version: { type: 'string', format: 'semver', maxLength: VERSION_MAX, description: 'A SemVer 2.0.0 version.' },
    range: { type: 'string', format: 'semver-range', minLength: 1, maxLength: 256, description: 'A SemVer range as npm reads it.' },
    name: { type: 'string', pattern: NAME_PATTERN, maxLength: 64 },
    id: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_-]*$', maxLength: 64 },
    path: { type: 'string', format: 'pack-path', maxLength: 240, description: 'A file of the bundle.' },
    title: { type: 'string', minLength: 1, maxLength: 200 },
    text: { type: 'string', maxLength: 4096 },
    metadata: {
      type: 'object',
      required: ['packId', 'name', 'version'],
      additionalProperties: false,
      properties: {
        packId: { $ref: '#/$defs/packId' },
        name: { $ref: '#/$defs/title', description: 'What people read; not an identity.' },
        version: { $ref: '#/$defs/version' },
        description: { $ref: '#/$defs/text' },
        tags: { type: 'array', maxItems: 32, items: { $ref: '#/$defs/name' } },
        tenantVisibility: {
          type: 'array',
          maxItems: 64,
          items: { type: 'string', pattern: `^(?:\\*|${NAME_PATTERN.slice(1, -1)})$`, maxLength: TENANT_MAX },
          description: 'Tenants beside the owner that may see this version; * is everybody.',
        },
        author: { $ref: '#/$defs/title' },
        maintainers: { type: 'array', maxItems: 32, items: { $ref: '#/$defs/maintainer' } },
        license: { type: 'string', minLength: 1, maxLength: 128, description: 'An SPDX licence expression.' },
        annotations: {
          type: 'object',
          maxProperties: 64,
          propertyNames: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]*$', maxLength: 128 },
          additionalProperties: { $ref: '#/$defs/text' },
        },
      },
    },
    maintainer: {
      type: 'object',
      required: ['name'],
      additionalProperties: false,
      properties: { name: { $ref: '#/$defs/title' }, email: { type: 'string', pattern: '^[^@\\s]+@[^@\\s]+$', maxLength: 254 } },
    },
    requirement: {
      type: 'object',
      required: ['packId', 'version'],
      additionalProperties: false,
      properties: { packId: { $ref: '#/$defs/packId' }, version: { $ref: '#/$defs/range' } },
    },
    compatibility: {
      type: 'object',
      additionalProperties: false,
      properties: {
        cli: { $ref: '#/$defs/range' },
        runner: {
          type: 'object',
          additionalProperties: false,
          properties: { minRunnerVersion: { $ref: '#/$defs/version' }, range: { $ref: '#/$defs/range' } },
        },
      },
    },
    severity: { enum: ['critical', 'high', 'medium', 'low', 'info'] },
    action: { enum: ['block', 'warn', 'audit'] },
    ...taskSpec,
    ...policySpec,
    ...analyzerSpec,
    ...bundleSpec,
  },
} as const;
