import { badBundle } from '../bundle-limits';
import type { ChunkReader } from '../chunk-reader';
import { BLOCK, checksum, isZero } from '../ustar-header';
import type { NestedEntry } from './nested-entry';

/** What is about another entry: pax records, and GNU's long names. */
const ABOUT_OTHERS: ReadonlySet<string> = new Set('xgLK');
/** Links, devices, folders and what only GNU tar knows: files to whoever does not know them, and worth a look where they have content. */
const CONTENTLESS: ReadonlySet<string> = new Set('123456VMND');
const SPARSE = 'S';

/** Whether this is the first block of a tar archive, of whatever format. */
export function isTarHeader(block: Buffer): boolean {
  return block.length >= BLOCK && number(block.subarray(148, 156)) === checksum(block.subarray(0, BLOCK));
}

/**
 * The files of a tar archive of any format, those of an unknown type too: tar takes them for files. Long names are cut where the old format ends them: they are for people.
 * @throws DomainError ERR_PACK_BUNDLE_INVALID
 */
export async function* readNestedTar(reader: ChunkReader): AsyncGenerator<NestedEntry, void> {
  for (;;) {
    const block = await reader.peek(BLOCK);
    if (block.length < BLOCK || isZero(block)) return;
    if (!isTarHeader(block)) throw badBundle('a tar archive has a block that is no header');
    const header = Buffer.from(await reader.exactly(BLOCK));
    const size = number(header.subarray(124, 136)) ?? 0;
    const type = header.toString('latin1', 156, 157);
    if (type === SPARSE) throw badBundle('a tar archive has a sparse file');
    const content = reader.take(size);
    if (!ABOUT_OTHERS.has(type) && (size > 0 || !CONTENTLESS.has(type))) yield { name: nameOf(header), content };
    for (let part = await content.next(); !part.done;) part = await content.next();
    await reader.exactly((BLOCK - (size % BLOCK)) % BLOCK);
  }
}

function nameOf(header: Buffer): string {
  const text = (start: number, length: number): string => header.toString('utf8', start, start + length).replace(/\0.*$/s, '');
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? text(345, 155) : '';
  return prefix ? `${prefix}/${text(0, 100)}` : text(0, 100);
}

/** Octal digits, or, with the highest bit set, GNU's big-endian bytes. */
function number(field: Buffer): number | undefined {
  if ((field[0] ?? 0) & 0x80) return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, (field[0] ?? 0) & 0x3f);
  const digits = /^[ \0]*([0-7]+)[ \0]*$/.exec(field.toString('latin1'))?.[1];
  return digits === undefined ? undefined : parseInt(digits, 8);
}
