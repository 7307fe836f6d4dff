import { badBundle } from '../bundle-limits';
import { ChunkReader } from '../chunk-reader';
import { inflateNested } from './inflate-nested';
import type { NestedEntry, SealedEntry } from './nested-entry';

/** PKWARE APPNOTE 6.3.10, §4.3.7 and §4.3.9. */
const LOCAL_HEADER = 0x04034b50;
/** The list at its end, and the ends of that: nothing else may follow the last entry. */
const ENDS: ReadonlySet<number> = new Set([0x02014b50, 0x06054b50, 0x06064b50, 0x07064b50]);
const DESCRIPTOR = 0x08074b50;
const HEADER_BYTES = 30;
const ZIP64 = 0xffffffff;

interface LocalHeader {
  readonly name: string;
  readonly isEncrypted: boolean;
  readonly method: number;
  /** Bytes in the archive; undefined where only what follows the content tells them. */
  readonly size: number | undefined;
}

/**
 * The files of a zip archive, by the headers that stand before them and in their order: the list at its end is not needed.
 * @throws DomainError ERR_PACK_BUNDLE_INVALID
 */
export async function* readNestedZip(
  reader: ChunkReader,
  admit: (given: number, taken: number) => void,
): AsyncGenerator<NestedEntry | SealedEntry, void> {
  for (let header = await localHeader(reader); header; header = await localHeader(reader)) {
    const { name, isEncrypted, method, size } = header;
    const isReadable = !isEncrypted && (method === 8 || (method === 0 && size !== undefined));
    if (!isReadable) yield { name, sealed: isEncrypted ? 'encrypted' : 'compression' };
    else if (method === 8) yield* deflated(reader, header, admit);
    else yield* stored(reader, name, size ?? 0);
    if (!isReadable) await skip(reader.take(size ?? unknownSize()));
    if (size === undefined) await skipDescriptor(reader);
  }
}

async function* stored(reader: ChunkReader, name: string, size: number): AsyncGenerator<NestedEntry, void> {
  const content = reader.take(size);
  if (size > 0 || !name.endsWith('/')) yield { name, content };
  await skip(content);
}

/** A deflate stream knows its own end; where the header says it too, both have to agree. */
async function* deflated(
  reader: ChunkReader,
  { name, size }: LocalHeader,
  admit: (given: number, taken: number) => void,
): AsyncGenerator<NestedEntry, void> {
  const packed = size === undefined ? reader : new ChunkReader(reader.take(size));
  const content = inflateNested('deflate', packed, admit);
  yield { name, content };
  await skip(content);
  if (size !== undefined && (await packed.next())) throw badBundle('a zip entry does not end where it says');
}

/** @returns undefined where the entries end; readers that begin at the end of the archive would find what lies behind anything else */
async function localHeader(reader: ChunkReader): Promise<LocalHeader | undefined> {
  const start = await reader.peek(4);
  if (start.length === 0) return undefined;
  const mark = start.length < 4 ? 0 : start.readUInt32LE(0);
  if (ENDS.has(mark)) return undefined;
  if (mark !== LOCAL_HEADER) throw badBundle('a zip archive has something between its entries');
  const header = Buffer.from(await reader.exactly(HEADER_BYTES));
  const flags = header.readUInt16LE(6);
  const name = (await reader.exactly(header.readUInt16LE(26))).toString('utf8');
  const extra = await reader.exactly(header.readUInt16LE(28));
  const size = header.readUInt32LE(18);
  return {
    name,
    isEncrypted: (flags & 1) !== 0,
    method: header.readUInt16LE(8),
    size: flags & 8 ? undefined : size === ZIP64 ? zip64Size(extra) : size,
  };
}

/** §4.5.3: original size, then compressed size. */
function zip64Size(extra: Buffer): number {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === 1 && at + 20 <= extra.length) return Number(extra.readBigUInt64LE(at + 12));
  }
  throw badBundle('a zip entry does not say its size');
}

/** Behind the content: an optional mark, the checksum, and both sizes in 4 or 8 bytes each. */
async function skipDescriptor(reader: ChunkReader): Promise<void> {
  const ahead = await reader.peek(26);
  const mark = ahead.length >= 4 && ahead.readUInt32LE(0) === DESCRIPTOR ? 4 : 0;
  const length = [12, 20].map(bytes => mark + bytes).find(end => ahead.toString('latin1', end, end + 2) === 'PK');
  if (length === undefined) throw badBundle('a zip entry does not end where it says');
  await reader.exactly(length);
}

async function skip(content: AsyncIterator<Buffer>): Promise<void> {
  for (let part = await content.next(); !part.done;) part = await content.next();
}

function unknownSize(): never {
  throw badBundle('a zip entry that cannot be read does not say its size');
}
