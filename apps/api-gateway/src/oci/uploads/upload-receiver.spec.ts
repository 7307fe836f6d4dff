import { DomainError } from '@packs/domain';
import type { UploadSessions } from '@packs/ports';
import { InMemoryBlobStore } from '@packs/testing';
import { HeldUpload } from './held-upload';
import { UploadReceiver } from './upload-receiver';

const APP = { namespace: 'acme', repository: 'app' };
const ID = 'ffffffff-ffff-4fff-8fff-ffffffffffff';

describe('a blob that a seal came before', () => {
  const blobs = new InMemoryBlobStore();

  /** Of a finished upload whose session is still ours, or was taken over meanwhile. */
  async function refused(session: 'ours' | 'taken over') {
    const sessions = {
      hold: async () => ({ id: ID, algorithm: 'sha256', upload: null }),
      keep: async () => session === 'ours',
      link: () => Promise.reject(new DomainError('ERR_PACK_SEALED', 'sealed')),
    } as unknown as UploadSessions;
    const written = await blobs.write(
      (async function* () {
        yield Buffer.from(session);
      })(),
      { maxBytes: 100 },
    );
    const held = await HeldUpload.take(sessions, APP, ID);
    const receiver = new UploadReceiver(sessions, blobs, 100);
    await expect(receiver.link(APP, 'user:alice', written, held)).rejects.toMatchObject({ code: 'ERR_PACK_SEALED' });
    held.stop();
    return written;
  }

  const isThere = ({ objectKey }: { objectKey: string }): boolean => blobs.objects.has(objectKey);

  it('is removed, for nobody else finishes its upload', async () => {
    expect(isThere(await refused('ours'))).toBe(false);
  });

  it('is left where another took the upload over: it may have recorded this very object', async () => {
    expect(isThere(await refused('taken over'))).toBe(true);
  });
});
