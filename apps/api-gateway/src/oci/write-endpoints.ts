import type { BlobStore, CommandBus, ContentCatalog, UploadSessions } from '@packs/ports';
import { blobTarget, DeleteContent, manifestTarget } from './delete-content/delete-content';
import { PutManifest } from './put-manifest/put-manifest';
import type { PutPlain } from './put-manifest/put-plain';
import { CancelUpload } from './uploads/cancel-upload';
import { ContinueUpload } from './uploads/continue-upload';
import { FinishUpload } from './uploads/finish-upload';
import { GetUpload } from './uploads/get-upload';
import { StartUpload } from './uploads/start-upload';
import { UploadReceiver } from './uploads/upload-receiver';

export interface WriteParts {
  readonly sessions: UploadSessions;
  readonly blobs: BlobStore;
  readonly catalog: ContentCatalog;
  readonly commands: CommandBus;
  readonly plain: PutPlain;
  readonly limits: { readonly maxBlobBytes: number; readonly maxUploads: number };
}

/** What changes repositories (distribution-spec "Push" and "Content Management"). */
export function writeEndpoints({ sessions, blobs, catalog, commands, plain, limits }: WriteParts) {
  const receiver = new UploadReceiver(sessions, blobs, limits.maxBlobBytes);
  return {
    manifest: { PUT: new PutManifest(blobs, catalog, commands, plain), DELETE: new DeleteContent(commands, manifestTarget) },
    blob: { DELETE: new DeleteContent(commands, blobTarget) },
    uploads: { POST: new StartUpload(sessions, receiver, limits.maxUploads) },
    upload: {
      GET: new GetUpload(sessions),
      PATCH: new ContinueUpload(receiver),
      PUT: new FinishUpload(receiver),
      DELETE: new CancelUpload(receiver),
    },
  };
}
