import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly subject?: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** What a reader of OCI image layouts finds in a folder, read without any of the product's code. */
export class ImageLayout {
  constructor(readonly folder: string) {}

  get exists(): boolean {
    return existsSync(join(this.folder, 'index.json'));
  }

  get index(): { readonly manifests: readonly Descriptor[]; readonly annotations: Readonly<Record<string, string>> } {
    return JSON.parse(readFileSync(join(this.folder, 'index.json'), 'utf8')) as never;
  }

  /** The state document that the index names. */
  get state(): MirrorStateDocument {
    return JSON.parse(this.blob(this.index.annotations['io.stellaops.mirror.state'] ?? '').toString()) as never;
  }

  pathOf(digest: string): string {
    return join(this.folder, 'blobs', 'sha256', digest.slice('sha256:'.length));
  }

  /** Proven by its digest. */
  blob(digest: string): Buffer {
    const bytes = readFileSync(this.pathOf(digest));
    const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (found !== digest) throw new Error(`the mirror's blob ${digest} has other bytes`);
    return bytes;
  }

  manifest(digest: string): Manifest {
    return JSON.parse(this.blob(digest).toString()) as Manifest;
  }

  /** The manifest under a tag, `<namespace>/<pack>:<version>`. */
  tagged(name: string): Descriptor | undefined {
    return this.index.manifests.find(one => one.annotations?.['org.opencontainers.image.ref.name'] === name);
  }

  /** Manifests whose subject is the one named. */
  referrers(digest: string): { readonly descriptor: Descriptor; readonly manifest: Manifest }[] {
    return this.index.manifests
      .map(descriptor => ({ descriptor, manifest: this.manifest(descriptor.digest) }))
      .filter(({ manifest }) => manifest.subject?.digest === digest);
  }

  /** Reads every blob the index leads to; returns how many there are. @throws Error for one that is missing or altered */
  proveAll(): number {
    if (readFileSync(join(this.folder, 'oci-layout'), 'utf8') !== '{"imageLayoutVersion":"1.0.0"}') throw new Error('no OCI layout');
    const held = this.index.manifests.flatMap(({ digest }) => {
      const { config, layers } = this.manifest(digest);
      return [config, ...layers].map(blob => {
        if (this.blob(blob.digest).length !== blob.size) throw new Error(`${blob.digest} has another size`);
        return blob.digest;
      });
    });
    return new Set([...held, ...this.index.manifests.map(({ digest }) => digest)]).size;
  }
}

export interface MirrorStateDocument {
  readonly versions: readonly {
    readonly packId: string;
    readonly version: string;
    readonly lifecycle: string;
    readonly deprecation: { readonly reason: string | null; readonly replacement: string | null } | null;
    readonly manifest: Descriptor;
    readonly bundle: Descriptor;
    readonly referrers: readonly object[];
    readonly withdrawn?: readonly string[];
  }[];
  readonly channels: readonly { readonly packId: string; readonly channel: string; readonly version: string }[];
  readonly withdrawn: readonly { readonly packId: string; readonly version: string }[];
}

/** Files that have a name a reader would look for. */
export async function blobsIn(folder: string): Promise<string[]> {
  const blobs = join(folder, 'blobs', 'sha256');
  return existsSync(blobs) ? (await readdir(blobs)).filter(name => statSync(join(blobs, name)).isFile()) : [];
}
