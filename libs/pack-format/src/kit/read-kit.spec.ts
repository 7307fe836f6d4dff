import { canonicalJson, DomainError, sha256 } from '@packs/domain';
import { aKit, type TestKit } from '@packs/testing';
import { inPiecesOf } from '../archive.fixture';
import { kitDocuments } from './kit-documents';
import { KIT_LIMITS, type KitLimits } from './kit-limits';
import { readKit } from './read-kit';
import { headerOf, kitSize, padding } from './write-kit';

interface Entry {
  readonly path: string;
  readonly bytes: Buffer;
}

let kit: TestKit;

beforeAll(async () => {
  kit = await aKit({ packs: [{ attestation: Buffer.from('{"attested":true}') }, { packId: 'acme.other', version: '2.0.0' }] });
});

describe('a kit', () => {
  it('has the same bytes whatever the order in which its parts were found', async () => {
    const shuffled = new Map([...kit.blobs].reverse());
    expect((await kit.bytes(kit.manifest, shuffled)).equals(await kit.bytes())).toBe(true);
  });

  it('has nothing of the machine it was made on', async () => {
    for (const header of headersIn(await kit.bytes())) {
      expect(header.toString('latin1', 100, 124)).toBe('0000644\x000000000\x000000000\0');
      expect(header.toString('latin1', 136, 148)).toBe('00000000000\0');
      expect(header.subarray(265, 329).every(byte => byte === 0)).toBe(true);
    }
  });

  it('has its entries in the order of their paths, each once', async () => {
    const paths = entriesOf(await kit.bytes()).map(({ path }) => path);
    expect(paths).toEqual([...new Set(paths)].toSorted());
    expect(paths.slice(-4)).toEqual(['index.json', 'oci-layout', 'offline/packs/digestmap.json', 'offline/packs/manifest.json']);
  });

  it('is as long as was said before it was made', async () => {
    expect(kitSize(kit.manifest)).toBe((await kit.bytes()).length);
  });

  it('lists every manifest and every referrer in its OCI index', () => {
    const [index] = kitDocuments(kit.manifest);
    const { manifests } = JSON.parse(String(index?.bytes)) as { manifests: { digest: string; annotations?: Record<string, string> }[] };
    expect(manifests).toHaveLength(2 + 2 + 1);
    expect(manifests.flatMap(one => one.annotations?.['org.opencontainers.image.ref.name'] ?? [])).toEqual([
      'acme/acme.hello:1.0.0',
      'acme/acme.other:2.0.0',
    ]);
  });
});

describe('readKit', () => {
  it('finds what was written, in pieces of any size', async () => {
    for (const size of [1, 511, 512, 100_000]) {
      const { manifest, manifestDigest, blobs } = await read(await kit.bytes(), size);
      expect(manifest).toEqual(kit.manifest);
      expect(manifestDigest).toBe(sha256(canonicalJson(kit.manifest)));
      expect(blobs).toBe(kit.blobs.size);
    }
  });

  it('notices every single flipped byte', async () => {
    const whole = await kit.bytes();
    const accepted: number[] = [];
    for (let at = 0; at < whole.length; at += 7) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x01, at);
      const code = await codeOf(damaged);
      if (!code.startsWith('ERR_KIT_')) accepted.push(at);
    }
    expect(accepted).toEqual([]);
  });

  it('notices a cut at any place', async () => {
    const whole = await kit.bytes();
    const codes = new Set<string>();
    for (let end = 0; end < whole.length; end += 97) codes.add(await codeOf(whole.subarray(0, end)));
    expect([...codes]).toEqual(['ERR_KIT_TRUNCATED']);
  });

  it.each<[damage: string, code: string, damaged: () => Promise<Buffer>]>([
    ['a flipped byte in a blob', 'ERR_KIT_DIGEST', () => changed(first, entry => ({ ...entry, bytes: flipped(entry.bytes) }))],
    ['a flipped byte in a header', 'ERR_KIT_DIGEST', async () => flippedAt(await kit.bytes(), 20)],
    [
      'a document that is no JSON any more',
      'ERR_KIT_DIGEST',
      () => changed(named('index.json'), entry => ({ ...entry, bytes: flipped(entry.bytes) })),
    ],
    ['a missing blob', 'ERR_KIT_BLOB_MISSING', () => changed(first, () => undefined)],
    ['an extra blob', 'ERR_KIT_BLOB_EXTRA', async () => tarOf([...entriesOf(await kit.bytes()), blobEntry('nobody needs this')])],
    ['a truncated end', 'ERR_KIT_TRUNCATED', async () => (await kit.bytes()).subarray(0, -512)],
    ['the index of another kit', 'ERR_KIT_INDEX', async () => withDocuments(['index.json'])],
    ['the digest map of another kit', 'ERR_KIT_INDEX', async () => withDocuments(['offline/packs/digestmap.json'])],
    [
      'all documents of another kit',
      'ERR_KIT_INDEX',
      async () => withDocuments(['index.json', 'offline/packs/digestmap.json', 'offline/packs/manifest.json']),
    ],
    ['data behind the end', 'ERR_KIT_FORMAT', async () => Buffer.concat([await kit.bytes(), Buffer.alloc(512, 1)])],
    ['an entry that is there twice', 'ERR_KIT_FORMAT', async () => twice()],
    [
      'a format of the future',
      'ERR_KIT_FORMAT',
      async () => kit.bytes({ ...kit.manifest, schema: 'stellaops.io/offline-kit.v2' as never }),
    ],
    ['no manifest', 'ERR_KIT_FORMAT', () => changed(named('offline/packs/manifest.json'), () => undefined)],
    ['something else than a tar', 'ERR_KIT_FORMAT', async () => Buffer.alloc(4096, 'no kit at all ')],
    ['a path that leads out', 'ERR_KIT_LIMIT', async () => tarOf([{ path: '../evil', bytes: Buffer.from('x') }])],
    ['a file with a time', 'ERR_KIT_FORMAT', async () => dated(await kit.bytes())],
    ['a symbolic link', 'ERR_KIT_FORMAT', async () => linked()],
  ])('refuses %s', async (_damage, code, damaged) => {
    expect(await codeOf(await damaged())).toBe(code);
  });

  it('refuses a manifest that says of an artifact what it is not', async () => {
    const [version, ...rest] = kit.manifest.versions;
    const [signature] = version?.signatures ?? [];
    const swapped = [{ ...version, bundle: signature?.document, signatures: [{ ...signature, document: version?.bundle }] }, ...rest];
    expect(await codeOf(await kit.bytes({ ...kit.manifest, versions: swapped as never }))).toMatch(/^ERR_KIT_(INDEX|FORMAT)$/);
  });

  it.each<[keyof KitLimits, number]>([
    ['size', 1000],
    ['entries', 3],
    ['blob', 10],
    ['document', 10],
  ])('refuses more than its limit for %s', async (limit, value) => {
    const bytes = await kit.bytes();
    const source = { bytes: inPiecesOf(bytes, 4096), size: bytes.length };
    await expect(readKit(source, { limits: { ...KIT_LIMITS, [limit]: value } })).rejects.toMatchObject({
      code: 'ERR_KIT_LIMIT',
      details: { limit },
    });
  });

  it('holds no more of a kit than the piece that has just arrived, whatever its size', async () => {
    const piece = Buffer.alloc(64 * 1024, 'x');
    const size = 64 * 1024 * 1024;
    const digest = `sha256:${'0'.repeat(64)}` as const;
    let produced = 0;
    let consumed = 0;
    let most = 0;
    async function* large(): AsyncGenerator<Uint8Array> {
      yield headerOf(`blobs/sha256/${digest.slice(7)}`, size);
      while (produced < size) {
        produced += piece.length;
        most = Math.max(most, produced - consumed);
        yield piece;
      }
    }
    const sink = {
      async blob(_blob: object, bytes: AsyncIterable<Buffer>): Promise<void> {
        for await (const part of bytes) consumed += part.length;
      },
    };
    await expect(readKit({ bytes: large(), size }, { sink })).rejects.toMatchObject({ code: 'ERR_KIT_TRUNCATED' });
    expect([consumed, most]).toEqual([size, piece.length]);
  });

  it('ends its source when it refuses', async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(512, 'x');
      } finally {
        ended = true;
      }
    }
    await expect(readKit({ bytes: endless(), size: 1 })).rejects.toThrow(DomainError);
    expect(ended).toBe(true);
  });
});

async function read(bytes: Buffer, piece = 64 * 1024) {
  return readKit({ bytes: inPiecesOf(bytes, piece), size: bytes.length });
}

async function codeOf(bytes: Buffer): Promise<string> {
  return read(bytes).then(
    () => 'accepted',
    (error: DomainError) => error.code,
  );
}

function headersIn(bytes: Buffer): Buffer[] {
  const headers: Buffer[] = [];
  for (let at = 0; bytes[at] !== 0;) {
    const size = parseInt(bytes.toString('latin1', at + 124, at + 135), 8);
    headers.push(bytes.subarray(at, at + 512));
    at += 512 + size + padding(size).length;
  }
  return headers;
}

function entriesOf(bytes: Buffer): Entry[] {
  return headersIn(bytes).map(header => {
    const start = header.byteOffset - bytes.byteOffset + 512;
    const size = parseInt(header.toString('latin1', 124, 135), 8);
    return { path: header.toString('latin1', 0, 100).replace(/\0+$/, ''), bytes: Buffer.from(bytes.subarray(start, start + size)) };
  });
}

function tarOf(entries: readonly Entry[]): Buffer {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const parts = sorted.flatMap(({ path, bytes }) => [headerOf(path, bytes.length), bytes, padding(bytes.length)]);
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

const first = (_entry: Entry, at: number): boolean => at === 0;
const named =
  (path: string) =>
  (entry: Entry): boolean =>
    entry.path === path;

async function changed(which: (entry: Entry, at: number) => boolean, change: (entry: Entry) => Entry | undefined): Promise<Buffer> {
  return tarOf(entriesOf(await kit.bytes()).flatMap((entry, at) => (which(entry, at) ? (change(entry) ?? []) : [entry])));
}

/** This kit, with documents of one whose first version has another bundle. */
async function withDocuments(paths: readonly string[]): Promise<Buffer> {
  const other = await aKit({ packs: [{ bundle: Buffer.from('another bundle') }] });
  const foreign = new Map(entriesOf(await other.bytes()).map(entry => [entry.path, entry]));
  return tarOf(entriesOf(await kit.bytes()).map(entry => (paths.includes(entry.path) ? (foreign.get(entry.path) ?? entry) : entry)));
}

async function twice(): Promise<Buffer> {
  const [entry, ...rest] = entriesOf(await kit.bytes());
  return tarOf(entry ? [entry, entry, ...rest] : []);
}

function dated(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.write('14000000000\0', 136);
  return withChecksum(copy);
}

async function linked(): Promise<Buffer> {
  const copy = Buffer.from(await kit.bytes());
  copy.write('2', 156);
  return withChecksum(copy);
}

function withChecksum(bytes: Buffer): Buffer {
  bytes.write('        ', 148);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}

function blobEntry(text: string): Entry {
  return { path: `blobs/sha256/${sha256(text).slice(7)}`, bytes: Buffer.from(text) };
}

function flipped(bytes: Buffer): Buffer {
  return flippedAt(bytes, 0);
}

function flippedAt(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 0x01, at);
  return copy;
}
