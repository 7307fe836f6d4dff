import { Type, type Static } from '@sinclair/typebox';
import { REPOSITORY_NAME_MAX, REPOSITORY_PATTERN } from '@packs/domain';
import { closed, RepositoryNameSchema } from './contract-types';
import { SELECTION_MAX } from './selection';

/** A tag, or the beginning of one followed by `*`. */
export const TAG_SELECTOR_PATTERN = '^(?:\\*|[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\\*?)$';
/** `<host>[:<port>]`, and a path where what is pulled has one in common. */
export const PULL_LOCATION_PATTERN = `^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\\[[0-9a-f:]+\\])(?::[0-9]{1,5})?(?:/${REPOSITORY_PATTERN.slice(1, -1)})?$`;
export const PULL_REPOSITORIES_MAX = 64;
export const PULL_NEWEST_MAX = 1_000;
export const PULL_RANGE_MAX = 256;
export const PULL_VERSIONS_DEFAULT = 1_000;
export const PULL_VERSIONS_MAX = 10_000;
export const PULL_BYTES_DEFAULT = 64 * 1024 ** 3;
export const PULL_BYTES_MAX = 16 * 1024 ** 4;

const selectors = Type.Optional(
  Type.Array(Type.String({ pattern: TAG_SELECTOR_PATTERN }), { minItems: 1, maxItems: SELECTION_MAX, uniqueItems: true }),
);

/**
 * One repository at the upstream, and which of its tags are wanted: those that `tags` names and the versions that satisfy `range`, of these the
 * `newest`, and whatever `channels` point at now. Without `tags`, `range` and `channels` every tag is.
 */
export const PulledRepositorySchema = closed({
  /** Behind the mirror's location. */
  repository: RepositoryNameSchema,
  /** Its name here; absent: the same. A pack is taken only under its own packId. */
  as: Type.Optional(Type.String({ pattern: REPOSITORY_PATTERN, maxLength: REPOSITORY_NAME_MAX })),
  tags: selectors,
  range: Type.Optional(Type.String({ minLength: 1, maxLength: PULL_RANGE_MAX })),
  channels: selectors,
  newest: Type.Optional(Type.Integer({ minimum: 1, maximum: PULL_NEWEST_MAX })),
});
export type PulledRepository = Static<typeof PulledRepositorySchema>;

/** What a mirror brings in from the registry that it lies in. */
export const PullPolicySchema = closed({
  repositories: Type.Array(PulledRepositorySchema, { minItems: 1, maxItems: PULL_REPOSITORIES_MAX }),
  /** Versions and tags that one sync brings in at the most; the next goes on. */
  maxVersions: Type.Integer({ minimum: 1, maximum: PULL_VERSIONS_MAX }),
  /** Bytes that one sync fetches at the most; the next goes on. */
  maxBytes: Type.Integer({ minimum: 1, maximum: PULL_BYTES_MAX }),
});
export type PullPolicy = Static<typeof PullPolicySchema>;
