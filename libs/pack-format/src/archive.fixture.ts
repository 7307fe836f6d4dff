import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';

export const TASK_YAML = `apiVersion: stellaops.io/pack.v1
kind: TaskPack
metadata: { packId: acme.hello, name: Hello, version: 1.0.0 }
spec:
  steps:
    - { id: greet, run: [scripts/greet.sh] }
`;

export interface Entry extends Partial<Header> {
  readonly name: string;
  readonly content?: string | Buffer;
}

/** A tar archive by an independent writer, with pack.yaml first unless told otherwise. */
export async function tarOf(entries: readonly Entry[], manifest: string | null = TASK_YAML): Promise<Buffer> {
  const archive = pack();
  const all = manifest === null ? entries : [{ name: 'pack.yaml', content: manifest }, ...entries];
  for (const { content = '', ...header } of all) archive.entry({ mtime: new Date(0), ...header }, content);
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

export async function bundleOf(entries: readonly Entry[], manifest: string | null = TASK_YAML): Promise<Buffer> {
  return gzipSync(await tarOf(entries, manifest));
}

/** A ustar header block with a right checksum, and everything else as told. */
export function rawHeader(fields: {
  name: string | Buffer;
  size?: number | string;
  type?: string;
  magic?: string;
  prefix?: string;
}): Buffer {
  const block = Buffer.alloc(512);
  Buffer.from(fields.name).copy(block, 0, 0, 100);
  block.write('0000644\0', 100);
  const size = fields.size ?? 0;
  block.write(typeof size === 'string' ? size : `${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  block.write('        ', 148);
  block.write(fields.type ?? '0', 156, 'latin1');
  block.write(fields.magic ?? 'ustar\x0000', 257, 'latin1');
  block.write(fields.prefix ?? '', 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

export async function* inPiecesOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
