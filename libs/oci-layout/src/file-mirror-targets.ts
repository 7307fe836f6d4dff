import { realpath } from 'node:fs/promises';
import { LOCATION_MAX, LOCATION_PATTERN, type MirroredVersion, type MirrorKind, type MirrorState } from '@packs/contracts';
import { DomainError, isName, TENANT_MAX, type Digest } from '@packs/domain';
import { MirrorTarget, MirrorTargets, type Likeness, type MirrorObject, type MirrorPlace, type StagedState } from '@packs/ports';
import type { FileLayout } from './file-layout';
import { MirrorFolder } from './mirror-folder';
import { parseMirrorState } from './mirror-state';
import { OciImageLayout } from './oci-image-layout';
import { PlainDirectory } from './plain-directory';
import { onTarget } from './target-faults';

const LOCATION = new RegExp(LOCATION_PATTERN);
/** A place of any other kind is opened elsewhere. */
const LAYOUTS: Readonly<Partial<Record<MirrorKind, FileLayout>>> = { 'oci-layout': new OciImageLayout(), directory: new PlainDirectory() };
/** Files looked at together. */
const CHECKS = 16;

/** Mirrors as folders: `<root>/<tenant>/<location>`. No tenant reaches another's part. */
export class FileMirrorTargets extends MirrorTargets {
  constructor(private readonly root: string) {
    super();
  }

  async open({ tenant, kind, location }: MirrorPlace): Promise<MirrorTarget> {
    if (!isName(tenant, TENANT_MAX) || location.length > LOCATION_MAX || !LOCATION.test(location)) {
      throw new DomainError('ERR_MIRROR_TARGET_INVALID', `a location is names joined by /, each matching the grammar of names`, {
        errors: [{ field: 'location', message: `does not match ${LOCATION_PATTERN}` }],
      });
    }
    const layout = LAYOUTS[kind];
    if (!layout) throw new Error(`a mirror of kind ${kind} is no folder`);
    const root = await onTarget(location, () => realpath(this.root));
    const folder = new MirrorFolder(root, [tenant, ...location.split('/')]);
    await folder.checkPlace();
    return new FileMirrorTarget(folder, tenant, layout);
  }
}

class FileMirrorTarget extends MirrorTarget {
  constructor(
    private readonly folder: MirrorFolder,
    private readonly tenant: string,
    private readonly layout: FileLayout,
  ) {
    super();
  }

  async state(): Promise<MirrorState | undefined> {
    const bytes = await this.layout.readState(this.folder);
    return bytes && parseMirrorState(bytes);
  }

  objectsOf(version: MirroredVersion): MirrorObject[] {
    return this.layout.objectsOf(this.tenant, version);
  }

  /** The state alone tells the heads of channels. */
  pointersOf(): MirrorObject[] {
    return [];
  }

  async look({ path, size }: MirrorObject): Promise<Likeness> {
    const found = await this.folder.size(path);
    if (found === undefined) return 'absent';
    return found === size ? 'alike' : 'different';
  }

  hash(path: string, signal?: AbortSignal): Promise<Digest | undefined> {
    return this.folder.hash(path, signal);
  }

  async *files(): AsyncGenerator<string> {
    const own = new Set(await this.layout.ownFiles(this.folder));
    for await (const path of this.folder.files()) if (!own.has(path)) yield path;
  }

  read(path: string): AsyncIterable<Uint8Array> {
    return this.folder.read(path);
  }

  async prepare(): Promise<void> {
    await this.folder.prepare();
    await this.layout.prepare(this.folder);
  }

  write(object: MirrorObject, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    return this.folder.write(object, source, signal);
  }

  flush(): Promise<void> {
    return this.folder.flush();
  }

  async stage(state: MirrorState, signal?: AbortSignal): Promise<StagedState> {
    for (const version of state.versions) {
      signal?.throwIfAborted();
      const objects = this.objectsOf(version);
      for (let at = 0; at < objects.length; at += CHECKS) {
        await Promise.all(objects.slice(at, at + CHECKS).map(object => this.checkThere(object)));
      }
    }
    return this.layout.stage(this.folder, state, signal);
  }

  async prune(state: MirrorState, signal?: AbortSignal): Promise<string[]> {
    const named = new Set(state.versions.flatMap(version => this.objectsOf(version).map(({ path }) => path)));
    const removed: string[] = [];
    for await (const path of this.files()) {
      signal?.throwIfAborted();
      if (named.has(path) || !this.layout.keepsBlobsAt(this.tenant, path)) continue;
      await this.folder.remove(path);
      removed.push(path);
    }
    return removed;
  }

  private async checkThere({ path, size }: MirrorObject): Promise<void> {
    if ((await this.folder.size(path)) === size) return;
    throw new DomainError('ERR_MIRROR_TARGET_UNAVAILABLE', `mirror location ${this.folder.location}: ${path} was written and is gone`, {
      retry: 'later',
      details: { path },
    });
  }
}
