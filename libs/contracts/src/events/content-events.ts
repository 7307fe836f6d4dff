import { Type } from '@sinclair/typebox';
import { ContentDigestSchema, nullable, RepositoryNameSchema } from '../contract-types';
import { event, type EventContract } from './event-contract';

/** What the tenant knows of the blob: a repository of its that has it, and the version there where it is part of one. */
const state = {
  digest: ContentDigestSchema,
  size: Type.Integer({ minimum: 0 }),
  repository: nullable(RepositoryNameSchema),
  reason: Type.String(),
};

export const BlobQuarantined = event(
  'registry.blob.quarantined',
  'publisher',
  'Stored bytes that the tenant uses are damaged or missing; they are not served until they are replaced.',
  state,
);

export const BlobRepaired = event(
  'registry.blob.repaired',
  'publisher',
  'Bytes that were damaged or missing lie there whole again, and are served.',
  state,
);

export const CONTENT_EVENTS: readonly EventContract[] = [BlobQuarantined, BlobRepaired];
