import type { MirroredVersion, MirrorState } from '@packs/contracts';
import { digestHex, type Digest } from '@packs/domain';
import type { MirrorObject, StagedState } from '@packs/ports';
import { readFileWhole, type FileLayout } from './file-layout';
import type { MirrorFolder } from './mirror-folder';
import { encodeMirrorState } from './mirror-state';

const STATE_FILE = 'state.json';
const FOLDERS = { signature: 'signatures', attestation: 'attestations', referrer: 'referrers' } as const;

/**
 * Files for people and web servers:
 *
 *     state.json
 *     packs/<namespace>/<packId>/<version>/manifest.json
 *                                          config.json
 *                                          bundle.tar.gz
 *                                          signatures/<manifest's hex>/{manifest.json,<blob's hex>}
 *                                          attestations/<manifest's hex>/{manifest.json,<blob's hex>}
 *                                          referrers/<manifest's hex>/{manifest.json,<blob's hex>}
 */
export class PlainDirectory implements FileLayout {
  objectsOf(tenant: string, { packId, version, manifest, config, bundle, referrers }: MirroredVersion): MirrorObject[] {
    const folder = `packs/${tenant}/${packId}/${version}`;
    return [
      at(`${folder}/manifest.json`, manifest),
      at(`${folder}/config.json`, config),
      at(`${folder}/bundle.tar.gz`, bundle),
      ...referrers.flatMap(referrer => {
        const own = `${folder}/${FOLDERS[referrer.kind]}/${digestHex(referrer.manifest.digest)}`;
        return [at(`${own}/manifest.json`, referrer.manifest), ...referrer.blobs.map(blob => at(`${own}/${digestHex(blob.digest)}`, blob))];
      }),
    ];
  }

  async prepare(): Promise<void> {}

  ownFiles(): Promise<readonly string[]> {
    return Promise.resolve([STATE_FILE]);
  }

  keepsBlobsAt(tenant: string, path: string): boolean {
    return path.startsWith(`packs/${tenant}/`);
  }

  readState(folder: MirrorFolder): Promise<Buffer | undefined> {
    return readFileWhole(folder, STATE_FILE);
  }

  async stage(folder: MirrorFolder, state: MirrorState, signal?: AbortSignal): Promise<StagedState> {
    const document = await folder.writeUnnamed(encodeMirrorState(state), signal);
    await folder.flush();
    return {
      digest: document.digest,
      commit: async () => {
        await document.nameIt(STATE_FILE);
        await folder.flush();
      },
    };
  }
}

function at(path: string, { digest, size }: { readonly digest: Digest; readonly size: number }): MirrorObject {
  return { path, digest, size, wave: 0 };
}
