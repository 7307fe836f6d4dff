import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
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
    ['no gzip file after all', Buffer.from([0x1f, 0x8b, 8, 0xff, 1, 2, 3]), [{ path: 'x!', why: 'damaged' }]],
  ])('passes on what is %s as it is, and says so', async (_, content, unopened) => {
    const walked = await walk([{ name: 'x', content }, A]);
    expect(walked.unopened).toEqual(unopened);
    expect(walked.files.get('x')?.equals(content)).toBe(true);
    expect(walked.files.get('a.txt')?.toString()).toBe(A.content);
  });

  it('reads pax and GNU archives too', async () => {
    const long = aTar([{ name: 'meta', content: '30 path=other\n' }, A]);
    long.write('x', 156);
    long.fill(' ', 148, 156);
    const sum = long.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    long.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const { files, unopened } = await walk([{ name: 'x.tar', content: long }]);
    expect([[...files.keys()], unopened]).toEqual([['pack.yaml', 'x.tar!a.txt', 'x.tar'], []]);
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
