import { Type } from '@sinclair/typebox';
import { DigestSchema } from '../contract-types';
import { MirrorSettingsSchema, SkippedVersionSchema } from '../mirror';
import { event, type EventContract } from './event-contract';

const mirror = { mirrorId: Type.String(), ...MirrorSettingsSchema.properties };

export const MirrorConfigured = event('mirror.configured', 'mirror-worker', 'A mirror was added, or has other settings.', mirror);

export const MirrorRemoved = event(
  'mirror.removed',
  'mirror-worker',
  'A mirror is no longer synced; what lies at its location stays, and what was pulled from there.',
  mirror,
);

export const MirrorSyncCompleted = event(
  'mirror.sync.completed',
  'mirror-worker',
  'A mirror shows the selected packs as they are, or has pulled what it is to pull.',
  {
    mirrorId: Type.String(),
    name: Type.String(),
    jobId: Type.String(),
    /** Completed syncs of this mirror. */
    seq: Type.Integer({ minimum: 1 }),
    /** Digest of the state it shows; of a pull, of what is here by tags and digests. */
    stateDigest: DigestSchema,
    /** Versions it shows, or versions and tags that are here. */
    versions: Type.Integer({ minimum: 0 }),
    copiedBytes: Type.Integer({ minimum: 0 }),
    /** Blobs found altered and written again. */
    repaired: Type.Integer({ minimum: 0 }),
    skipped: Type.Integer({ minimum: 0 }),
    /** The first of those. */
    skippedVersions: Type.Array(SkippedVersionSchema, { maxItems: 100 }),
  },
);

export const MirrorSyncFailed = event(
  'mirror.sync.failed',
  'mirror-worker',
  'A sync was given up; the mirror shows what it showed before, and what was pulled stays.',
  {
    mirrorId: Type.String(),
    name: Type.String(),
    jobId: Type.String(),
    /** ERR_… code of the last attempt. */
    reason: Type.String(),
    attempts: Type.Integer({ minimum: 1 }),
  },
);

export const MIRROR_EVENTS: readonly EventContract[] = [MirrorConfigured, MirrorRemoved, MirrorSyncCompleted, MirrorSyncFailed];
