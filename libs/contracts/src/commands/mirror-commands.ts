import { Type, type Static } from '@sinclair/typebox';
import { closed, origin } from '../contract-types';
import { MirrorJobSchema, MirrorRecordSchema, MirrorSettingsSchema } from '../mirror';
import { command } from './command-contract';

const mirrorId = Type.String({ minLength: 1, maxLength: 64 });

/** Configures a mirror. It is filled by its first sync, which this does not start. */
export const CreateMirror = command({
  subject: 'cmd.mirror-worker.create-mirror',
  timeoutMs: 10_000,
  request: closed({ ...origin, settings: MirrorSettingsSchema }),
  reply: closed({ mirror: MirrorRecordSchema }),
});
export type CreateMirrorRequest = Static<typeof CreateMirror.request>;
export type CreateMirrorReply = Static<typeof CreateMirror.reply>;

/** Replaces a mirror's settings. What lies at a location it leaves stays there. */
export const UpdateMirror = command({
  subject: 'cmd.mirror-worker.update-mirror',
  timeoutMs: 10_000,
  request: closed({ ...origin, id: mirrorId, settings: MirrorSettingsSchema }),
  reply: closed({ mirror: MirrorRecordSchema, changed: Type.Boolean() }),
});
export type UpdateMirrorRequest = Static<typeof UpdateMirror.request>;
export type UpdateMirrorReply = Static<typeof UpdateMirror.reply>;

/** Forgets a mirror. What lies at its location stays there. */
export const DeleteMirror = command({
  subject: 'cmd.mirror-worker.delete-mirror',
  timeoutMs: 10_000,
  request: closed({ ...origin, id: mirrorId }),
  reply: closed({ deleted: Type.Boolean() }),
});
export type DeleteMirrorRequest = Static<typeof DeleteMirror.request>;
export type DeleteMirrorReply = Static<typeof DeleteMirror.reply>;

/** Asks for a sync now. A job that is queued already is answered with; one that waits for its next attempt is tried at once. */
export const SyncMirror = command({
  subject: 'cmd.mirror-worker.sync-mirror',
  timeoutMs: 10_000,
  request: closed({
    ...origin,
    id: mirrorId,
    /** Read every byte at the mirror again and repair what differs. */
    verify: Type.Boolean(),
  }),
  reply: closed({ job: MirrorJobSchema }),
});
export type SyncMirrorRequest = Static<typeof SyncMirror.request>;
export type SyncMirrorReply = Static<typeof SyncMirror.reply>;
