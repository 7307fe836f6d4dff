import { createCipheriv, createHash } from 'node:crypto';
import type { SignatureList } from '@packs/contracts';
import type { Caller } from './caller';
import { aBundle, aManifest, BUNDLE_TYPE, digestOf } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const MIB = 1024 * 1024;
const key = new SigningKey('release');
// Content that does not compress: the bundle spans several of the blocks that are checked as they leave.
const noise = createCipheriv('aes-256-ctr', Buffer.alloc(32), Buffer.alloc(16)).update(Buffer.alloc(2.5 * MIB));
const bundle = aBundle(aManifest('large'), [{ path: 'data.bin', content: noise }]);
const { bytes } = bundle;
const ETAG = `"${bundle.digest}"`;
const PATHS = ['/api/packs/large/versions/1.0.0/bundle', '/packs/large/1.0.0'];
let reader: Caller;
let manifestDigest: string;

beforeAll(async () => {
  const registry = await Registry.shared();
  const admin = await registry.caller();
  await admin.accept(key);
  const answer = await admin.publish(bundle, { signatures: [key.sigstore(bytes), key.raw(bytes)] });
  manifestDigest = answer.body.manifestDigest;
  reader = await registry.caller(admin.tenant, 'packs.read');
});

const VALIDATORS = () => ({
  etag: ETAG,
  'repr-digest': `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`,
  'stella-manifest-digest': manifestDigest,
  'accept-ranges': 'bytes',
});
const WHOLE = () => ({
  ...VALIDATORS(),
  'content-type': BUNDLE_TYPE,
  'content-length': String(bytes.length),
  'content-disposition': 'attachment; filename="large-1.0.0.tar.gz"',
});

describe.each(PATHS)('GET %s', path => {
  const get = (headers: Readonly<Record<string, string>> = {}) => reader.get(path, {}, headers);

  it('sends the bytes that were published, under their digest', async () => {
    const answer = await get();
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject(WHOLE());
    expect(answer.bytes.equals(bytes)).toBe(true);
  });

  it('answers HEAD with the same headers and nothing else, a range asked for or not', async () => {
    for (const range of ['', 'bytes=0-9']) {
      const answer = await reader.send('HEAD', path, { headers: { range } });
      expect([answer.status, answer.bytes.length]).toEqual([200, 0]);
      expect(Object.fromEntries(answer.headers)).toMatchObject(WHOLE());
    }
  });

  it.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-99', 0, 99],
    [`bytes=${MIB - 5}-${MIB + 5}`, MIB - 5, MIB + 5],
    [`bytes=${2 * MIB}-`, 2 * MIB, bytes.length - 1],
    ['bytes=-100', bytes.length - 100, bytes.length - 1],
    ['bytes=10-999999999', 10, bytes.length - 1],
    ['bytes=-999999999', 0, bytes.length - 1],
    [`bytes=${bytes.length - 1}-${bytes.length - 1}`, bytes.length - 1, bytes.length - 1],
  ])('sends the range %s', async (range, first, last) => {
    const answer = await get({ range });
    expect(answer.status).toBe(206);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...VALIDATORS(),
      'content-range': `bytes ${first}-${last}/${bytes.length}`,
      'content-length': String(last - first + 1),
    });
    expect(answer.bytes.equals(bytes.subarray(first, last + 1))).toBe(true);
  });

  it.each(['bytes=0-1,5-6', 'items=0-1', 'bytes=x-y', 'bytes=-'])('sends the whole for a Range it does not serve: %s', async range => {
    const answer = await get({ range });
    expect([answer.status, answer.bytes.length]).toEqual([200, bytes.length]);
  });

  it.each([`bytes=${bytes.length}-`, 'bytes=-0', 'bytes=99999999-999999999', 'bytes=9-3'])(
    'refuses a Range without bytes in it: %s',
    async range => {
      const answer = await get({ range });
      expect([answer.status, answer.body.code]).toEqual([416, 'ERR_PACK_RANGE']);
      expect(answer.headers.get('content-range')).toBe(`bytes */${bytes.length}`);
    },
  );

  it.each([ETAG, `W/${ETAG}`, `"other", ${ETAG}`, '*'])('sends nothing to who has it already: If-None-Match %s', async match => {
    const answer = await get({ 'if-none-match': match, range: 'bytes=0-9' });
    expect([answer.status, answer.bytes.length]).toEqual([304, 0]);
    expect(answer.headers.get('etag')).toBe(ETAG);
  });

  it('sends it to who has something else', async () => {
    const answer = await get({ 'if-none-match': `"${digestOf('other')}"` });
    expect([answer.status, answer.bytes.length]).toEqual([200, bytes.length]);
  });

  it('sends a range only while If-Range still names these bytes', async () => {
    const range = 'bytes=0-9';
    expect((await get({ range, 'if-range': ETAG })).status).toBe(206);
    // A weak validator never matches (RFC 9110 section 13.1.5).
    for (const other of [`"${digestOf('other')}"`, `W/${ETAG}`, 'Wed, 21 Oct 2015 07:28:00 GMT']) {
      const answer = await get({ range, 'if-range': other });
      expect([answer.status, answer.bytes.length]).toEqual([200, bytes.length]);
    }
  });

  it('lets a download that was cut go on where it ended', async () => {
    const response = await reader.open('GET', path);
    const stream = response.body?.getReader();
    const got: Uint8Array[] = [];
    for (let size = 0; size < 300_000;) {
      const piece = await stream?.read();
      if (!piece?.value) throw new Error('the download ended early');
      got.push(piece.value);
      size += piece.value.length;
    }
    await stream?.cancel();
    const have = Buffer.concat(got);
    const rest = await get({ range: `bytes=${have.length}-`, 'if-range': ETAG });
    expect(rest.status).toBe(206);
    expect(Buffer.concat([have, rest.bytes]).equals(bytes)).toBe(true);
  });

  it.each(['/api/packs/large/versions/9.9.9/bundle', '/api/packs/none/versions/1.0.0/bundle', '/packs/none/1.0.0'])(
    'answers 404 for what is not there: %s',
    async missing => {
      const answer = await reader.get(missing);
      expect([answer.status, answer.body.code]).toEqual([404, 'ERR_PACK_NOT_FOUND']);
    },
  );
});

describe('GET …/signatures', () => {
  it('gives each signature document as it was sent', async () => {
    const { status, body } = await reader.get<SignatureList>('/api/packs/large/versions/1.0.0/signatures');
    expect(status).toBe(200);
    const shown = (await reader.version('large', '1.0.0')).body.signatures;
    expect(body.signatures.map(({ content: _, ...rest }) => rest)).toEqual(
      shown.map(({ digest, mediaType, size }) => ({ digest, mediaType, size })),
    );
    expect(body.signatures).toHaveLength(2);
    for (const { content, digest, size, mediaType } of body.signatures) {
      const document = Buffer.from(content, 'base64');
      expect([digestOf(document), document.length]).toEqual([digest, size]);
      if (mediaType.includes('sigstore')) expect(JSON.parse(document.toString())).toMatchObject({ mediaType });
    }
  });
});
