import { crc32, deflateRawSync, gzipSync } from 'node:zlib';

/** One file of an archive that a spec makes. */
export interface ArchivedFile {
  readonly name: string;
  readonly content: string | Buffer;
}

/** EICAR's test file, which every malware scanner takes for malware; put together here so that no scanner does so with this source. */
export function eicar(): Buffer {
  return Buffer.from(['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD', '-ANTIVIRUS-TEST-', 'FILE!$H+H*'].join(''));
}

/** POSIX ustar, by other code than the product's. */
export function aTar(files: readonly ArchivedFile[]): Buffer {
  const blocks = files.flatMap(({ name, content }) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write('0000644\0' + '0000000\0' + '0000000\0', 100);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0` + '00000000000\0' + '        ' + '0', 124);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export interface ZipForm {
  readonly method?: 'deflate' | 'store' | 'bzip2';
  /** Sizes stand behind the content alone, as writers that stream put them. */
  readonly streamed?: boolean;
  readonly encrypted?: boolean;
}

const METHODS = { store: 0, deflate: 8, bzip2: 12 } as const;

/** A zip archive with its list at the end (PKWARE APPNOTE 6.3.10). */
export function aZip(files: readonly ArchivedFile[], { method = 'deflate', streamed = false, encrypted = false }: ZipForm = {}): Buffer {
  const parts: Buffer[] = [];
  const list: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of files) {
    const bytes = Buffer.from(content);
    const packed = method === 'deflate' ? deflateRawSync(bytes) : bytes;
    const told = Buffer.alloc(12);
    told.writeUInt32LE(crc32(bytes), 0);
    told.writeUInt32LE(packed.length, 4);
    told.writeUInt32LE(bytes.length, 8);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE((streamed ? 8 : 0) | (encrypted ? 1 : 0), 2);
    common.writeUInt16LE(METHODS[method], 4);
    const behind = streamed ? Buffer.concat([Buffer.from('PK\x07\x08', 'latin1'), told]) : Buffer.alloc(0);
    if (!streamed) told.copy(common, 10);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), packed, behind]);
    told.copy(common, 10);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    list.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, Buffer.from(name)]));
    parts.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(list);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, directory, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

/** Five archives within each other, of every kind that is looked into. */
export function nestedFiveDeep(name: string, content: Buffer): Buffer {
  const inner = aTar([{ name, content }]);
  const second = gzipSync(inner);
  const third = aZip([{ name: 'third.tar.gz', content: second }], { streamed: true });
  const fourth = aTar([{ name: 'fourth.zip', content: third }]);
  return aZip([{ name: 'fifth.tar', content: fourth }], { method: 'store' });
}
