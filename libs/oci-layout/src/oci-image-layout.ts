import type { MirroredVersion, MirrorState } from '@packs/contracts';
import { DomainError, EMPTY_JSON, sha256 } from '@packs/domain';
import type { MirrorObject, StagedState } from '@packs/ports';
import { readFileWhole, type FileLayout } from './file-layout';
import type { MirrorFolder } from './mirror-folder';
import { encodeMirrorState } from './mirror-state';
import { blobPath, encodeIndex, INDEX_FILE, LAYOUT_FILE, OCI_LAYOUT, stateDescriptorOf } from './oci-layout';

/** OCI image-spec v1.1 "Image Layout": any tool that reads layouts reads this mirror. */
export class OciImageLayout implements FileLayout {
  objectsOf(_tenant: string, { manifest, config, bundle, referrers }: MirroredVersion): MirrorObject[] {
    const held = [manifest, config, bundle, ...referrers.flatMap(referrer => [referrer.manifest, ...referrer.blobs])];
    const byPath = new Map(held.map(({ digest, size }) => [blobPath(digest), { path: blobPath(digest), digest, size, wave: 0 }]));
    return [...byPath.values()];
  }

  async prepare(folder: MirrorFolder): Promise<void> {
    await keep(folder, LAYOUT_FILE, OCI_LAYOUT);
    // The config of signature manifests, which no registry has to store.
    await keep(folder, blobPath(sha256(EMPTY_JSON)), EMPTY_JSON);
  }

  async ownFiles(folder: MirrorFolder): Promise<readonly string[]> {
    const index = await readFileWhole(folder, INDEX_FILE);
    const state = index && stateDescriptorOf(index);
    return [LAYOUT_FILE, INDEX_FILE, blobPath(sha256(EMPTY_JSON)), ...(state ? [blobPath(state.digest)] : [])];
  }

  keepsBlobsAt(_tenant: string, path: string): boolean {
    return path.startsWith('blobs/sha256/');
  }

  async readState(folder: MirrorFolder): Promise<Buffer | undefined> {
    const index = await readFileWhole(folder, INDEX_FILE);
    if (!index) return undefined;
    const named = stateDescriptorOf(index);
    if (!named) throw damaged('index.json names no state');
    const state = await readFileWhole(folder, blobPath(named.digest));
    if (!state || sha256(state) !== named.digest) throw damaged('the state that index.json names is not there');
    return state;
  }

  async stage(folder: MirrorFolder, state: MirrorState, signal?: AbortSignal): Promise<StagedState> {
    const shown = await readFileWhole(folder, INDEX_FILE);
    const before = shown && stateDescriptorOf(shown);
    const document = await folder.writeUnnamed(encodeMirrorState(state), signal);
    const { digest, size } = document;
    const index = await folder.writeUnnamed(encodeIndex(state.tenant, state.versions, { digest, size }), signal);
    await folder.flush();
    return {
      digest,
      commit: async () => {
        await document.nameIt(blobPath(digest));
        await folder.flush();
        await index.nameIt(INDEX_FILE);
        await folder.flush();
        if (before && before.digest !== digest) await folder.remove(blobPath(before.digest));
      },
    };
  }
}

/** A small file with fixed content. */
async function keep(folder: MirrorFolder, path: string, content: Buffer): Promise<void> {
  const digest = sha256(content);
  if ((await folder.hash(path)) === digest) return;
  await folder.write({ path, digest, size: content.length, wave: 0 }, once(content));
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

function damaged(why: string): DomainError {
  return new DomainError('ERR_MIRROR_CORRUPT', `the mirror's state cannot be read: ${why}`);
}
