import { createHash } from 'node:crypto';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { aTar, aZip, nestedFiveDeep, type ArchivedFile } from '@packs/testing';
import { bundleOf, inPiecesOf } from '../archive.fixture';
import { nestedLimits, type NestedLimits } from './nested-limits';
import { walkFiles, type UnopenedFile } from './walk-files';

interface Walked {
  readonly files: Map<string, Buffer>;
  readonly unopened: readonly UnopenedFile[];
}

async function walk(
  files: readonly ArchivedFile[],
  limits?: Partial<NestedLimits>,
  piece = 64 * 1024,
  note: (part: Buffer) => void = () => undefined,
): Promise<Walked> {
  const bundle = await bundleOf(files);
  const found = new Map<string, Buffer>();
  const unopened = await walkFiles(inPiecesOf(bundle, piece), {
    size: bundle.length,
    ...(limits && { limits: { ...nestedLimits(bundle.length), ...limits } }),
    open: path => {
      const parts: Buffer[] = [];
      return {
        write: part => {
          note(part);
          parts.push(Buffer.from(part));
        },
        end: () => void found.set(path, Buffer.concat(parts)),
      };
    },
  });
  return { files: found, unopened };
}

const A = { name: 'a.txt', content: 'a'.repeat(5000) };
const B = { name: 'deep/b.txt', content: Buffer.alloc(100_000, 'bcd') };

const empty = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `${at}`, content: '' }));

/** The archive with its first entry of another type. */
function ofType(type: string, tar: Buffer): Buffer {
  tar.write(type, 156, 'latin1');
  tar.fill(' ', 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return tar;
}

/** A zip archive without the list at its end. */
function entriesOf(zip: Buffer): Buffer {
  return Buffer.from(zip.subarray(0, zip.readUInt32LE(zip.length - 6)));
}

describe('walkFiles', () => {
  it.each([1, 700, 70_000])('gives out every file of every archive, whatever pieces of %i bytes it arrives in', async piece => {
    const archives = [
      { name: 'x.tar', content: aTar([A, B]) },
      { name: 'x.tgz', content: gzipSync(aTar([A, B])) },
      { name: 'x.zip', content: aZip([A, B]) },
      { name: 'streamed.zip', content: aZip([A, B], { streamed: true }) },
      { name: 'stored.zip', content: aZip([A, B], { method: 'store' }) },
      { name: 'two.gz', content: Buffer.concat([gzipSync('one '), gzipSync('two')]) },
      { name: 'empty.zip', content: aZip([]) },
    ];
    const { files, unopened } = await walk(archives, {}, piece);
    expect(unopened).toEqual([]);
    for (const { name, content } of archives) expect(files.get(name)?.equals(content)).toBe(true);
    for (const archive of ['x.tar', 'x.tgz!', 'x.zip', 'streamed.zip', 'stored.zip']) {
      expect(files.get(`${archive}!a.txt`)?.toString()).toBe(A.content);
      expect(files.get(`${archive}!deep/b.txt`)?.equals(B.content)).toBe(true);
    }
    expect(files.get('two.gz!')?.toString()).toBe('one two');
    expect(files.size).toBe(1 + archives.length + 5 * 2 + 1 + 1);
  });

  it('finds what lies five deep', async () => {
    const { files } = await walk([{ name: 'data/outer.zip', content: nestedFiveDeep('x.txt', Buffer.from('found')) }]);
    expect(files.get('data/outer.zip!fifth.tar!fourth.zip!third.tar.gz!!x.txt')?.toString()).toBe('found');
  });

  it.each<[string, Buffer, UnopenedFile[]]>([
    ['encrypted', aZip([A, B], { encrypted: true }), ['a.txt', 'deep/b.txt'].map(name => ({ path: `x!${name}`, why: 'encrypted' }))],
    ['compressed in another way', aZip([A], { method: 'bzip2' }), [{ path: 'x!a.txt', why: 'compression' }]],
    [
      'of unknown length',
      aZip([A], { method: 'store', streamed: true }),
      ['x!a.txt', 'x'].map((path, at) => ({ path, why: at === 0 ? 'compression' : 'damaged' })),
    ],
    ['cut', gzipSync(Buffer.alloc(9000, 'x')).subarray(0, 30), [{ path: 'x', why: 'damaged' }]],
    ['cut in a file', aTar([B]).subarray(0, 9000), [{ path: 'x', why: 'damaged' }]],
    ['sparse', ofType('S', aTar([A])), [{ path: 'x', why: 'damaged' }]],
    ['no gzip file after all', Buffer.from([0x1f, 0x8b, 8, 0xff, 1, 2, 3]), [{ path: 'x!', why: 'damaged' }]],
  ])('passes on what is %s as it is, and says so', async (_, content, unopened) => {
    const walked = await walk([{ name: 'x', content }, A]);
    expect(walked.unopened).toEqual(unopened);
    expect(walked.files.get('x')?.equals(content)).toBe(true);
    expect(walked.files.get('a.txt')?.toString()).toBe(A.content);
  });

  it('reads pax and GNU archives too', async () => {
    const long = ofType('x', aTar([{ name: 'meta', content: '30 path=other\n' }, A]));
    const { files, unopened } = await walk([{ name: 'x.tar', content: long }]);
    expect([[...files.keys()], unopened]).toEqual([['pack.yaml', 'x.tar!a.txt', 'x.tar'], []]);
  });

  it.each(['Z', '9', '\x01', 'V', '5'])('takes an entry of type %j that has content for a file, as tar does', async type => {
    const inner = aZip([A]);
    const { files, unopened } = await walk([{ name: 'x.tar', content: ofType(type, aTar([{ name: 'odd', content: inner }, B])) }]);
    expect([files.get('x.tar!odd!a.txt')?.toString(), unopened]).toEqual([A.content, []]);
    expect(files.get('x.tar!deep/b.txt')?.equals(B.content)).toBe(true);
  });

  it.each([true, false])('says so when something stands between the entries of a zip archive (streamed: %s)', async streamed => {
    const [first, second] = [A, B].map(file => entriesOf(aZip([file], { streamed })));
    const parts = [first, Buffer.from('\0'), second, aZip([])].filter(part => part !== undefined);
    const { files, unopened } = await walk([{ name: 'x.zip', content: Buffer.concat(parts) }]);
    expect(unopened).toEqual([{ path: 'x.zip', why: 'damaged' }]);
    expect(files.get('x.zip!a.txt')?.toString()).toBe(A.content);
  });

  it.each<[string, (packed: Buffer) => Buffer]>([
    ['shorter', packed => Buffer.concat([packed, Buffer.from('PK\x01\x02 is not the list')])],
    ['longer', packed => packed.subarray(0, -2)],
  ])('says so when a compressed entry is %s than it says', async (_, change) => {
    const packed = change(deflateRawSync(A.content));
    const zip = entriesOf(aZip([{ name: 'a.txt', content: packed }], { method: 'store' }));
    zip.writeUInt16LE(8, 8);
    const { unopened } = await walk([{ name: 'x.zip', content: Buffer.concat([zip, entriesOf(aZip([B])), aZip([])]) }]);
    expect(unopened).toContainEqual({ path: 'x.zip', why: 'damaged' });
  });

  it('ends where the entries of a zip archive end, with its list or without', async () => {
    const entries = entriesOf(aZip([A]));
    const ends = ['', 'PK\x06\x06', 'PK\x06\x07', 'PK\x05\x06'].map(mark => Buffer.concat([entries, Buffer.from(mark)]));
    const { files, unopened } = await walk(ends.map((content, at) => ({ name: `${at}.zip`, content })));
    expect(unopened).toEqual([]);
    for (const at of ends.keys()) expect(files.get(`${at}.zip!a.txt`)?.toString()).toBe(A.content);
  });

  it('looks into what is called a folder and has content', async () => {
    const { files } = await walk([{ name: 'x.zip', content: aZip([{ name: 'folder/', content: 'x' }], { method: 'store' }) }]);
    expect(files.get('x.zip!folder/')?.toString()).toBe('x');
  });

  it('names at most 50 of what it could not look into', async () => {
    const sealed = Array.from({ length: 60 }, (_, at) => ({ name: `${at}`, content: 'x' }));
    const { unopened } = await walk([{ name: 'x.zip', content: aZip(sealed, { encrypted: true }) }]);
    expect(unopened).toHaveLength(50);
    expect(unopened[0]).toEqual({ path: 'x.zip!0', why: 'encrypted' });
  });

  describe('refuses soon and with little memory', () => {
    const MIB = 1024 * 1024;
    let bomb: Buffer;
    let within: Buffer;
    let quine: Buffer;

    beforeAll(() => {
      const zeros = Buffer.alloc(256 * MIB);
      bomb = gzipSync(zeros, { level: 9 });
      // Each is within what one stream may inflate to.
      const blocks = Array.from({ length: 8 }, (_, at) => createHash('sha512').update(`${at}`).digest());
      const part = gzipSync(Buffer.concat(Array.from({ length: 32_768 }, (_, at) => blocks[(at * at + (at >> 3)) % 8] ?? zeros)));
      within = aTar(Array.from({ length: 60 }, (_, at) => ({ name: `${at}.gz`, content: part })));
      quine = Buffer.from('the end');
      for (let depth = 0; depth < 40; depth++) quine = depth % 2 ? gzipSync(quine) : aZip([{ name: 'r.gz', content: quine }]);
    });

    it.each<[string, () => Buffer, string]>([
      ['a gzip bomb', () => bomb, 'ratio'],
      ['a zip bomb', () => aZip([{ name: 'a', content: Buffer.alloc(128 * MIB) }]), 'ratio'],
      ['a bomb within an archive', () => aZip([{ name: 'a.gz', content: bomb }], { method: 'store' }), 'ratio'],
      ['tars of many bombs', () => within, 'bytes'],
      ['what never ends to be an archive', () => quine, 'depth'],
      ['a great many files', () => aTar(Array.from({ length: 21_000 }, (_, at) => ({ name: `${at}`, content: '' }))), 'entries'],
      ['a great many that are encrypted', () => aZip(empty(21_000), { encrypted: true }), 'entries'],
      ['a great many in an unknown way', () => aZip(empty(21_000), { method: 'bzip2' }), 'entries'],
    ])(
      '%s',
      async (_, make, limit) => {
        const content = make();
        const before = process.memoryUsage().rss;
        let given = 0;
        const begun = performance.now();
        await expect(walk([{ name: 'x', content }], undefined, 64 * 1024, piece => (given += piece.length))).rejects.toMatchObject({
          code: 'ERR_PACK_SCAN_LIMIT',
          details: { limit },
        });
        // Ten times what it may take: what it costs is counted.
        expect(performance.now() - begun).toBeLessThan(10_000);
        expect(given).toBeLessThanOrEqual(limit === 'bytes' ? 51 * content.length + MIB : 48 * MIB);
        expect(process.memoryUsage().rss - before).toBeLessThan(128 * MIB);
      },
      30_000,
    );
  });

  it('ends with its signal', async () => {
    const ended = AbortSignal.abort(new Error('enough'));
    const bundle = await bundleOf([A]);
    const walking = walkFiles(inPiecesOf(bundle, 10), { size: bundle.length, signal: ended, open: () => ({ write() {}, end() {} }) });
    await expect(walking).rejects.toThrow('enough');
  });

  it('fails as those do who are given the files', async () => {
    const bundle = await bundleOf([{ name: 'x.tgz', content: gzipSync(aTar([A])) }]);
    const open = (path: string) => ({
      write: () => (path.endsWith('a.txt') ? Promise.reject(new Error('no more')) : undefined),
      end() {},
    });
    await expect(walkFiles(inPiecesOf(bundle, 100), { size: bundle.length, open })).rejects.toThrow('no more');
  });
});
