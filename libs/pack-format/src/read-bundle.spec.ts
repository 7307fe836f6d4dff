import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { DomainError, sha256 } from '@packs/domain';
import { TASK_YAML, bundleOf, inPiecesOf, rawHeader, tarOf, type Entry } from './archive.fixture';
import { BUNDLE_LIMITS, type BundleLimits } from './bundle-limits';
import { GZIP_HEADER, gzipTrailer } from './gzip-member';
import { walkBundle, type WalkedBundle } from './read-bundle';

function walk(bytes: Buffer, limits?: Partial<BundleLimits>, piece = 64 * 1024): Promise<WalkedBundle> {
  return walkBundle(inPiecesOf(bytes, piece), { size: bytes.length, limits: { ...BUNDLE_LIMITS, ...limits } });
}

async function refusal(walked: Promise<unknown>): Promise<DomainError> {
  const error = await walked.then(
    () => new Error('was accepted'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof DomainError) return error;
  throw error;
}

async function codeOf(walked: Promise<unknown>): Promise<string> {
  return (await refusal(walked)).code;
}

const END = Buffer.alloc(1024);

async function withRaw(...blocks: Buffer[]): Promise<Buffer> {
  const whole = await tarOf([]);
  return gzipSync(Buffer.concat([whole.subarray(0, -1024), ...blocks, END]));
}

describe('walkBundle', () => {
  it('gives the manifest and the digest of every file, whatever pieces the bundle arrives in', async () => {
    const bytes = await bundleOf([
      { name: 'scripts', type: 'directory' },
      { name: 'scripts/greet.sh', content: 'echo hello\n', mode: 0o755, uid: 1000, uname: 'me', mtime: new Date() },
      { name: 'data/empty' },
      { name: 'data/large', content: Buffer.alloc(200_000, 'abc') },
      { name: `${'d'.repeat(90)}/${'f'.repeat(90)}`, content: 'in the prefix' },
    ]);
    for (const piece of [1, 511, 70_000]) {
      const walked = await walk(bytes, {}, piece);
      expect(walked.manifest.metadata.packId).toBe('acme.hello');
      expect(walked.manifestBytes.toString()).toBe(TASK_YAML);
      expect(walked.entries.map(entry => entry.path)).toEqual([
        'pack.yaml',
        'scripts/greet.sh',
        'data/empty',
        'data/large',
        `${'d'.repeat(90)}/${'f'.repeat(90)}`,
      ]);
      expect(walked.entries[1]).toEqual({ path: 'scripts/greet.sh', size: 11, sha256: sha256('echo hello\n') });
      expect(walked.entries[3]?.sha256).toBe(sha256(Buffer.alloc(200_000, 'abc')));
      expect(walked.totalSize).toBe(TASK_YAML.length + 11 + 200_000 + 13);
    }
  });

  it('accepts the headers GNU tar writes by itself', async () => {
    const bytes = await withRaw(rawHeader({ name: 'notes.txt', magic: 'ustar  \0' }));
    expect((await walk(bytes)).entries.map(entry => entry.path)).toContain('notes.txt');
  });

  it.each([
    ['../evil', 'ERR_PACK_BUNDLE_PATH'],
    ['a/../../evil', 'ERR_PACK_BUNDLE_PATH'],
    ['/etc/passwd', 'ERR_PACK_BUNDLE_PATH'],
    ['C:/windows', 'ERR_PACK_BUNDLE_PATH'],
    ['./pack.txt', 'ERR_PACK_BUNDLE_PATH'],
    ['a//b', 'ERR_PACK_BUNDLE_PATH'],
    ['a\\..\\b', 'ERR_PACK_BUNDLE_PATH'],
    ['a\nb', 'ERR_PACK_BUNDLE_PATH'],
    ['a\u202Etxt.exe', 'ERR_PACK_BUNDLE_PATH'],
    ['e\u0301.txt', 'ERR_PACK_BUNDLE_PATH'],
    ['pack.yaml', 'ERR_PACK_BUNDLE_PATH'],
    ['PACK.yaml', 'ERR_PACK_BUNDLE_PATH'],
    ['pack.yaml/x', 'ERR_PACK_BUNDLE_PATH'],
    ['', 'ERR_PACK_BUNDLE_PATH'],
    ['a\0b', 'ERR_PACK_BUNDLE_INVALID'],
    ['x/'.repeat(16) + 'y', 'ERR_PACK_BUNDLE_LIMIT'],
  ])('refuses the path %j', async (name, code) => {
    expect(await codeOf(walk(await withRaw(rawHeader({ name }))))).toBe(code);
  });

  it('refuses a path that differs from the folder of another in case only', async () => {
    const bytes = await bundleOf([{ name: 'Scripts/a' }, { name: 'scripts/b' }]);
    expect(await codeOf(walk(bytes))).toBe('ERR_PACK_BUNDLE_PATH');
  });

  it('refuses a path over the limit', async () => {
    const bytes = await withRaw(rawHeader({ prefix: 'p'.repeat(150), name: 'n'.repeat(100) }));
    expect(await refusal(walk(bytes))).toMatchObject({ code: 'ERR_PACK_BUNDLE_LIMIT', details: { limit: 'path', value: 251 } });
  });

  it('refuses names that are not UTF-8', async () => {
    expect(await codeOf(walk(await withRaw(rawHeader({ name: Buffer.from([0x61, 0xff]) }))))).toBe('ERR_PACK_BUNDLE_INVALID');
  });

  it.each(['1', '2', '3', '4', '6', '7', 'x', 'g', 'L', 'K', 'S', 'V'])('refuses an entry of type %s', async type => {
    const error = await refusal(walk(await withRaw(rawHeader({ name: 'x', type }))));
    expect(error.code).toBe('ERR_PACK_BUNDLE_INVALID');
    expect(error.message).toMatch(/^entry "x" is /);
  });

  it('refuses the pax header another writer adds for a long name', async () => {
    const bytes = await bundleOf([{ name: 'n'.repeat(200) }]);
    expect((await refusal(walk(bytes))).message).toContain('pax extended header');
  });

  it.each([
    ['no magic', { name: 'x', magic: '\0\0\0\0\0\0\0\0' }],
    ['a base-256 size', { name: 'x', size: '\x80\0\0\0\0\0\0\0\0\0\0\0' }],
    ['a size that is not octal', { name: 'x', size: '0000000009\0' }],
    ['a directory with content', { name: 'd/', type: '5', size: 512 }],
    ['hidden fields behind a GNU header', { name: 'x', magic: 'ustar  \0', prefix: 'evil' }],
  ])('refuses a header with %s', async (_, header) => {
    expect(await codeOf(walk(await withRaw(rawHeader(header))))).toBe('ERR_PACK_BUNDLE_INVALID');
  });

  it('refuses a header with a wrong checksum', async () => {
    const header = rawHeader({ name: 'x' });
    header[0] = 'y'.charCodeAt(0);
    expect(await codeOf(walk(await withRaw(header)))).toBe('ERR_PACK_BUNDLE_INVALID');
  });

  it('refuses a bundle without pack.yaml at its root', async () => {
    expect(await codeOf(walk(await bundleOf([{ name: 'sub/pack.yaml', content: TASK_YAML }], null)))).toBe('ERR_PACK_MANIFEST_MISSING');
  });

  it('refuses an oversize pack.yaml without keeping it', async () => {
    const bytes = await bundleOf([{ name: 'pack.yaml', content: Buffer.alloc(256 * 1024 + 1, '#') }], null);
    expect(await codeOf(walk(bytes))).toBe('ERR_PACK_MANIFEST_YAML');
  });

  it('refuses a manifest that names a file the bundle does not have', async () => {
    const manifest = TASK_YAML.replace('TaskPack', 'PolicyPack').replace(
      /spec:[^]*/,
      'spec: { rules: [{ id: a, title: A, file: rules/a.cel }] }',
    );
    const error = await refusal(walk(await bundleOf([], manifest)));
    expect(error).toMatchObject({ code: 'ERR_PACK_MANIFEST_SCHEMA', errors: [{ pointer: '/spec/rules/0/file' }] });
    await expect(walk(await bundleOf([{ name: 'rules/a.cel' }], manifest))).resolves.toBeDefined();
  });
});

describe('walkBundle on broken archives', () => {
  it('refuses a bundle cut anywhere', async () => {
    const bytes = await bundleOf([{ name: 'a', content: 'content of a' }]);
    for (let length = 0; length < bytes.length; length++) {
      expect(await codeOf(walk(bytes.subarray(0, length)))).toBe('ERR_PACK_BUNDLE_INVALID');
    }
  });

  it('never gives other content for a bundle with a changed bit', async () => {
    const bytes = await bundleOf([{ name: 'a', content: 'content of a' }]);
    const { entries } = await walk(bytes);
    let refused = 0;
    for (let at = 10; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const outcome = await walk(changed).catch((error: unknown) => error);
      if (outcome instanceof DomainError) refused++;
      // A few bits of a deflate stream mean nothing.
      else expect(outcome).toMatchObject({ entries });
    }
    expect(refused).toBeGreaterThan(bytes.length * 0.9);
  });

  it('refuses an archive without its end marker, or with half of it', async () => {
    const tar = await tarOf([]);
    expect(await codeOf(walk(gzipSync(tar.subarray(0, -1024))))).toBe('ERR_PACK_BUNDLE_INVALID');
    expect(await codeOf(walk(gzipSync(tar.subarray(0, -512))))).toBe('ERR_PACK_BUNDLE_INVALID');
  });

  it('refuses entries behind the end marker', async () => {
    const tar = await tarOf([]);
    expect(await codeOf(walk(gzipSync(Buffer.concat([tar, rawHeader({ name: 'x' }), END]))))).toBe('ERR_PACK_BUNDLE_INVALID');
    expect(await codeOf(walk(gzipSync(Buffer.concat([tar.subarray(0, -512), rawHeader({ name: 'x' }), END]))))).toBe(
      'ERR_PACK_BUNDLE_INVALID',
    );
  });

  it('accepts the zeros that fill up the last record', async () => {
    await expect(walk(gzipSync(Buffer.concat([await tarOf([]), Buffer.alloc(8192)])))).resolves.toBeDefined();
  });

  it.each([1, 7, 100_000])('refuses anything behind the gzip member, read in pieces of %d', async piece => {
    const bytes = await bundleOf([]);
    for (const surplus of [Buffer.alloc(1), Buffer.alloc(70_000), Buffer.from('x'), gzipSync(Buffer.alloc(0)), bytes]) {
      expect(await codeOf(walk(Buffer.concat([bytes, surplus]), {}, piece))).toBe('ERR_PACK_BUNDLE_INVALID');
    }
    expect(await codeOf(walk(Buffer.concat([gzipSync(Buffer.alloc(0)), bytes]), {}, piece))).toBe('ERR_PACK_BUNDLE_INVALID');
  });

  it('accepts optional gzip header fields and refuses endless ones', async () => {
    const tar = await tarOf([]);
    const rest = Buffer.concat([deflateRawSync(tar), gzipTrailer(crc32(tar), tar.length)]);
    const header = Buffer.from(GZIP_HEADER);
    header[3] = 4 | 8 | 16 | 2;
    const fields = Buffer.from('\x03\0abcname\0comment\0zz', 'latin1');
    for (const piece of [1, 100_000]) await expect(walk(Buffer.concat([header, fields, rest]), {}, piece)).resolves.toBeDefined();
    header[3] = 8;
    expect(await codeOf(walk(Buffer.concat([header, Buffer.alloc(9000, 'n')])))).toBe('ERR_PACK_BUNDLE_INVALID');
    header[3] = 0x20;
    expect(await codeOf(walk(Buffer.concat([header, rest])))).toBe('ERR_PACK_BUNDLE_INVALID');
  });

  it('refuses a source that has not the size it should have', async () => {
    const bytes = await bundleOf([]);
    for (const size of [bytes.length - 1, bytes.length + 1]) {
      expect(await codeOf(walkBundle(inPiecesOf(bytes, 100), { size }))).toBe('ERR_PACK_BUNDLE_INVALID');
    }
  });
});

describe('walkBundle on bundles that cost too much', () => {
  it('refuses a bomb that announces its size without inflating it', async () => {
    const tar = Buffer.concat([(await tarOf([])).subarray(0, -1024), rawHeader({ name: 'zeros', size: 900 * 1024 * 1024 })]);
    const bytes = gzipSync(Buffer.concat([tar, Buffer.alloc(4 * 1024 * 1024)]));
    expect(await refusal(walk(bytes))).toMatchObject({ code: 'ERR_PACK_BUNDLE_LIMIT', details: { limit: 'ratio' } });
  });

  it('stops inflating a bomb that announces nothing as soon as it passes the ratio', async () => {
    const zeros = deflateRawSync(Buffer.alloc(16 * 1024 * 1024), { finishFlush: 2 });
    let read = 0;
    async function* bomb(): AsyncGenerator<Uint8Array> {
      yield Buffer.concat([GZIP_HEADER, deflateRawSync((await tarOf([])).subarray(0, -512), { finishFlush: 2 })]);
      for (let at = 0; at < 100; at++) {
        read++;
        yield zeros;
      }
    }
    const started = performance.now();
    const error = await refusal(walkBundle(bomb(), { size: 100 * 1024 }));
    expect(error).toMatchObject({ code: 'ERR_PACK_BUNDLE_LIMIT', details: { limit: 'ratio' } });
    expect(read).toBeLessThan(5);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it.each<[string, Partial<BundleLimits>, Entry[]]>([
    ['size', { size: 50 }, []],
    ['entries', { entries: 2 }, [{ name: 'a' }, { name: 'b' }]],
    ['total', { total: 4096 }, [{ name: 'a', content: Buffer.alloc(4096) }]],
    ['file', { file: 1000 }, [{ name: 'a', content: Buffer.alloc(1001) }]],
    ['depth', { depth: 2 }, [{ name: 'a/b/c' }]],
  ])('refuses more than the limit of %s', async (limit, limits, entries) => {
    expect(await refusal(walk(await bundleOf(entries), limits))).toMatchObject({ code: 'ERR_PACK_BUNDLE_LIMIT', details: { limit } });
  });

  it('lets small archives compress as well as they can', async () => {
    await expect(walk(await bundleOf([{ name: 'a', content: Buffer.alloc(900_000) }]))).resolves.toBeDefined();
  });

  it('ends with the reason of its signal, even when the source is silent', async () => {
    const reason = new DomainError('ERR_PACK_BUNDLE_LIMIT', 'too slow');
    const control = new AbortController();
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield GZIP_HEADER;
      control.abort(reason);
      await new Promise(() => undefined);
    }
    await expect(walkBundle(silent(), { size: 100, signal: control.signal })).rejects.toBe(reason);
    await expect(walkBundle(silent(), { size: 100, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('passes on what the source throws and closes a source it leaves', async () => {
    const broken = new DomainError('ERR_PACK_UNAVAILABLE', 'store is down');
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield GZIP_HEADER;
      throw broken;
    }
    await expect(walkBundle(failing(), { size: 100 })).rejects.toBe(broken);
    let closed: () => void = () => undefined;
    const closing = new Promise<void>(resolve => (closed = resolve));
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('not gzip');
      } finally {
        closed();
      }
    }
    expect(await codeOf(walkBundle(endless(), { size: 1000 }))).toBe('ERR_PACK_BUNDLE_INVALID');
    await closing;
  });
});
