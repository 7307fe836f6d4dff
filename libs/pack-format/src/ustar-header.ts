import { badBundle } from './bundle-limits';

/** POSIX.1-1988 ustar: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, "ustar Interchange Format". */
export const BLOCK = 512;

interface TarHeader {
  readonly path: string;
  readonly size: number;
  readonly directory: boolean;
}

const REFUSED: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a fifo',
  '7': 'a contiguous file',
  x: 'a pax extended header',
  g: 'a pax global header',
  L: 'a GNU long name',
  K: 'a GNU long link',
  S: 'a sparse file',
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads one header block. Strict where tar programs differ from each other, so that no two of them can see different files in an accepted bundle.
 * A general tar reader applies extension headers before its caller sees them, and reads on behind the end marker: it cannot be asked for this.
 * @throws DomainError ERR_PACK_BUNDLE_INVALID
 */
export function decodeHeader(block: Buffer): TarHeader {
  if (octal(block, 148, 8, 'checksum') !== checksum(block)) throw badBundle('a tar header has a wrong checksum');
  const prefix = readPrefix(block);
  const name = text(block, 0, 100);
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0);
  if (type !== '0' && type !== '5') {
    throw badBundle(
      `entry ${JSON.stringify(name)} is ${REFUSED[type] ?? 'of an unknown type'}; a bundle has regular files and directories only`,
    );
  }
  const directory = type === '5';
  const size = octal(block, 124, 12, 'size');
  if (directory && size !== 0) throw badBundle('a directory entry has content');
  const path = prefix ? `${prefix}/${name}` : name;
  return { path: directory && path.endsWith('/') ? path.slice(0, -1) : path, size, directory };
}

/** False for a block that is no header, or one whose bytes were changed. */
export function hasChecksum(block: Buffer): boolean {
  return /^ *([0-7]+)[ \0]*$/.exec(block.toString('latin1', 148, 156))?.[1] === checksum(block).toString(8).padStart(6, '0');
}

function readPrefix(block: Buffer): string {
  const magic = block.toString('latin1', 257, 265);
  if (magic === 'ustar\x0000') return text(block, 345, 155);
  // GNU tar's own format keeps other things where ustar has the prefix; as long as they are absent both agree on the name.
  if (magic === 'ustar  \0' && isZero(block.subarray(345))) return '';
  throw badBundle('a tar header is not in ustar format');
}

function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  if (end >= 0 && !isZero(field.subarray(end))) throw badBundle('a name in a tar header goes on behind a NUL');
  try {
    return utf8.decode(end < 0 ? field : field.subarray(0, end));
  } catch (cause) {
    throw badBundle('a name in a tar header is not UTF-8', cause);
  }
}

function octal(block: Buffer, start: number, length: number, field: string): number {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(block.toString('latin1', start, start + length))?.[1];
  if (digits === undefined) throw badBundle(`a tar header has a ${field} that is not octal`);
  return parseInt(digits, 8);
}

/** Of a header block, as its own field for it should say. */
export function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  return sum;
}

const ZEROS = Buffer.alloc(BLOCK);

export function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const part = bytes.subarray(at, at + BLOCK);
    if (ZEROS.compare(part, 0, part.length, 0, part.length) !== 0) return false;
  }
  return true;
}

/**
 * The header of a regular file that belongs to nobody and has no time: the same block on every machine.
 * @returns undefined when the path does not fit into ustar's name and prefix
 */
export function encodeHeader(path: string, size: number, executable: boolean): Buffer | undefined {
  const split = splitPath(path);
  if (!split) return undefined;
  const block = Buffer.alloc(BLOCK);
  block.write(split.name, 0);
  block.write(executable ? '0000755\0' : '0000644\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('0', 156);
  block.write('ustar\x0000', 257);
  block.write('0000000\0', 329);
  block.write('0000000\0', 337);
  block.write(split.prefix, 345);
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** The shortest prefix that leaves a name of at most 100 bytes. */
function splitPath(path: string): { name: string; prefix: string } | undefined {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(name) <= 100) return Buffer.byteLength(prefix) <= 155 ? { name, prefix } : undefined;
  }
  return undefined;
}
