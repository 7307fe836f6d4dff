import type { MirroredVersion, MirrorState } from '@packs/contracts';
import type { MirrorObject, StagedState } from '@packs/ports';
import type { MirrorFolder } from './mirror-folder';

/** How one kind of mirror lays its files out. */
export interface FileLayout {
  objectsOf(tenant: string, version: MirroredVersion): MirrorObject[];
  /** Files that are there before any version. */
  prepare(folder: MirrorFolder): Promise<void>;
  /** Files of its own, which belong to no version. */
  ownFiles(folder: MirrorFolder): Promise<readonly string[]>;
  /** Whether a blob may lie there. */
  keepsBlobsAt(tenant: string, path: string): boolean;
  readState(folder: MirrorFolder): Promise<Buffer | undefined>;
  /** Writes what shows the state, without a name; every blob is there by now. */
  stage(folder: MirrorFolder, state: MirrorState, signal?: AbortSignal): Promise<StagedState>;
}

/** The whole of a file that is read at once. */
export async function readFileWhole(folder: MirrorFolder, path: string): Promise<Buffer | undefined> {
  if ((await folder.size(path)) === undefined) return undefined;
  const parts: Buffer[] = [];
  for await (const part of folder.read(path)) parts.push(part);
  return Buffer.concat(parts);
}
