import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export const BUNDLE_TYPE = 'application/vnd.stellaops.pack.bundle.v1.tar+gzip';

/** The manifest as people write it: `pack.yaml`, of which JSON is a subset. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly packId: string; readonly name: string; readonly version: string; readonly [more: string]: unknown };
  readonly [more: string]: unknown;
}

/** A bundle as a client holds it. */
export interface Bundle {
  readonly packId: string;
  readonly version: string;
  readonly bytes: Buffer;
  readonly digest: string;
  readonly manifest: Manifest;
}

export interface ArchiveEntry {
  readonly path: string;
  readonly content?: string | Buffer;
  /** The ustar type: `0` a file, `2` a symbolic link. */
  readonly type?: string;
  readonly link?: string;
}

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

type Changes = Partial<Omit<Manifest, 'metadata'>> & { readonly metadata?: Readonly<Record<string, unknown>> };

/** A task pack's manifest. */
export function aManifest(packId: string, version = '1.0.0', { metadata, ...changes }: Changes = {}): Manifest {
  return {
    apiVersion: 'stellaops.io/pack.v1',
    kind: 'TaskPack',
    spec: { steps: [{ id: 'greet', run: ['echo', 'hello'] }] },
    ...changes,
    metadata: { packId, name: `The ${packId} pack`, version, ...metadata },
  };
}

/** Bundles are made by this file, not by the product: what the registry accepts is not decided by its own writer. */
export function aBundle(manifest: Manifest, files: readonly ArchiveEntry[] = []): Bundle {
  return bundleOf(manifest, gzipSync(tar([{ path: 'pack.yaml', content: JSON.stringify(manifest) }, ...files])));
}

export function bundleOf(manifest: Manifest, bytes: Buffer): Bundle {
  const { packId, version } = manifest.metadata;
  return { packId, version, bytes, digest: digestOf(bytes), manifest };
}

const BLOCK = 512;

export function tar(entries: readonly ArchiveEntry[]): Buffer {
  const blocks = entries.flatMap(({ path, content = '', type = '0', link = '' }) => {
    const bytes = Buffer.from(content);
    return [tarHeader(path, bytes.length, type, link), bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** POSIX ustar (IEEE Std 1003.1, pax, "ustar Interchange Format"). */
export function tarHeader(path: string, size: number, type = '0', link = ''): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(path, 0, 100);
  header.write('0000644\0' + '0000000\0' + '0000000\0', 100);
  header.write(`${size.toString(8).padStart(11, '0')}\0` + '00000000000\0' + '        ' + type, 124);
  header.write(link, 157, 100);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
