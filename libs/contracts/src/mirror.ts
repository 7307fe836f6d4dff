import { Type, type Static } from '@sinclair/typebox';
import { NAME_PATTERN } from '@packs/domain';
import { closed, nullable, TenantSchema, TimestampSchema } from './contract-types';
import { PullPolicySchema } from './pull-policy';
import { SelectionSchema } from './selection';

export const MIRROR_KINDS = ['oci-layout', 'directory', 'registry'] as const;
export type MirrorKind = (typeof MIRROR_KINDS)[number];

const SEGMENT = NAME_PATTERN.slice(1, -1);
/** Names joined by `/`: none is empty, `.` or `..`, and the first is no root. */
export const LOCATION_PATTERN = `^${SEGMENT}(?:/${SEGMENT}){0,7}$`;
/** `<host>[:<port>]/<path>`: where the repositories of a mirror in a registry lie. The path ends with the tenant. */
export const REGISTRY_LOCATION_PATTERN = `^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\\[[0-9a-f:]+\\])(?::[0-9]{1,5})?(?:/${SEGMENT}){1,8}$`;
export const LOCATION_MAX = 255;
export const MIRROR_NAME_MAX = 64;
export const MIRROR_INTERVAL_MIN = 60;
export const MIRROR_INTERVAL_MAX = 30 * 24 * 60 * 60;

const settings = {
  name: Type.String({ pattern: NAME_PATTERN, maxLength: MIRROR_NAME_MAX }),
  kind: Type.Unsafe<MirrorKind>({ type: 'string', enum: [...MIRROR_KINDS] }),
  /** A folder below the tenant's part of the mirror root, or a place in a registry. Who opens it checks it, so that every fault of it has one code. */
  location: Type.String({ minLength: 1, maxLength: LOCATION_MAX }),
  selection: SelectionSchema,
  /** Seconds between two syncs that nothing else asks for; null: only events and requests do. */
  intervalSeconds: nullable(Type.Integer({ minimum: MIRROR_INTERVAL_MIN, maximum: MIRROR_INTERVAL_MAX })),
  /** A mirror that is not enabled is not synced. */
  enabled: Type.Boolean(),
  /** What is brought in from a registry. Absent: the selection is copied there. */
  pull: Type.Optional(PullPolicySchema),
};

/** Which packs go where or come from where, and when. */
export const MirrorSettingsSchema = closed(settings);
export type MirrorSettings = Static<typeof MirrorSettingsSchema>;

export const MirrorRecordSchema = closed({
  id: Type.String({ pattern: '^[0-9A-HJKMNP-TV-Z]{26}$' }),
  tenant: TenantSchema,
  ...settings,
  createdAt: TimestampSchema,
  createdBy: Type.String(),
  updatedAt: TimestampSchema,
  updatedBy: Type.String(),
  /** Completed syncs so far; the state the mirror shows is that of the last. */
  seq: Type.Integer({ minimum: 0 }),
  stateDigest: nullable(Type.String()),
  syncedAt: nullable(TimestampSchema),
  /** When the oldest change happened that the mirror does not show yet; null: it shows all. */
  pendingSince: nullable(TimestampSchema),
  /** The next sync reads every byte again: altered ones were found. */
  needsVerify: Type.Boolean(),
});
export type MirrorRecord = Static<typeof MirrorRecordSchema>;

export const MIRROR_JOB_STATES = ['queued', 'running', 'succeeded', 'failed'] as const;
export const MIRROR_JOB_CAUSES = ['event', 'request', 'schedule'] as const;

/** A selected version that a sync did not hand on, and why. Of a mirror that pulls: a repository here, and a tag or digest of it. */
export const SkippedVersionSchema = closed({
  packId: Type.String(),
  version: Type.String(),
  code: Type.String(),
  reason: Type.Optional(Type.String({ maxLength: 500 })),
});
export type SkippedVersion = Static<typeof SkippedVersionSchema>;

export const MirrorJobSchema = closed({
  id: Type.String(),
  mirrorId: Type.String(),
  state: Type.Unsafe<(typeof MIRROR_JOB_STATES)[number]>({ type: 'string', enum: [...MIRROR_JOB_STATES] }),
  cause: Type.Unsafe<(typeof MIRROR_JOB_CAUSES)[number]>({ type: 'string', enum: [...MIRROR_JOB_CAUSES] }),
  verify: Type.Boolean(),
  requestedBy: Type.String(),
  createdAt: TimestampSchema,
  startedAt: nullable(TimestampSchema),
  finishedAt: nullable(TimestampSchema),
  /** How often it was begun. */
  attempts: Type.Integer({ minimum: 0 }),
  /** When it is tried again after a failure; null: it is not waiting. */
  nextAttemptAt: nullable(TimestampSchema),
  progress: closed({
    versions: Type.Integer({ minimum: 0 }),
    totalVersions: Type.Integer({ minimum: 0 }),
    /** Bytes that are at the mirror, whoever copied them. */
    bytes: Type.Integer({ minimum: 0 }),
    totalBytes: Type.Integer({ minimum: 0 }),
    /** Bytes that its last attempt wrote. */
    copiedBytes: Type.Integer({ minimum: 0 }),
    /** Blobs whose bytes were found altered and written again. */
    repaired: Type.Integer({ minimum: 0 }),
    skipped: Type.Integer({ minimum: 0 }),
  }),
  /** The first of the versions that were not handed on. */
  skipped: Type.Array(SkippedVersionSchema),
  error: nullable(closed({ code: Type.String(), message: Type.String() })),
});
export type MirrorJob = Static<typeof MirrorJobSchema>;
