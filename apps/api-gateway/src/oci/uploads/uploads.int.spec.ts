import type { Socket } from 'node:net';
import { eventually } from '@packs/testing';
import { aBlob, PushingSpec, type Answer, type Replica } from './pushing.fixture';

const MIB = 1024 * 1024;
const UPLOADS = '/v2/acme/app/blobs/uploads/';
const rangeOf = ({ headers }: Answer): string | null => headers.get('range');

jest.setTimeout(30_000);

/** What a writer that lost its lease hears: its connection is cut without a word when the gateway notices while it waits for bytes. */
function answerOrEnd(socket: Socket): Promise<string> {
  return new Promise(resolve => {
    socket.once('data', data => resolve(data.toString()));
    socket.once('close', () => resolve(''));
  });
}

describe('uploads of blobs', () => {
  let spec: PushingSpec;
  let gateway: Replica;
  beforeAll(async () => {
    spec = await PushingSpec.open();
    gateway = await spec.replica();
  });
  afterAll(() => spec.close());
  beforeEach(() => spec.clear());

  async function expectStored(answer: Answer, { bytes, digest }: { bytes: Buffer; digest: string }, name = 'acme/app'): Promise<void> {
    expect([answer.status, answer.headers.get('location')]).toEqual([201, `/v2/${name}/blobs/${digest}`]);
    expect(answer.headers.get('docker-content-digest')).toBe(digest);
    const read = await gateway.ask('GET', `/v2/${name}/blobs/${digest}`);
    expect([read.status, read.bytes.equals(bytes)]).toEqual([200, true]);
    expect([(await spec.files()).unfinished, await spec.count('gateway.uploads')]).toEqual([0, 0]);
  }

  const streamOf = (...parts: Uint8Array[]) => ReadableStream.from(parts);

  describe.each(['sha256', 'sha512'] as const)('by %s', algorithm => {
    const begin = () => gateway.begin(algorithm === 'sha512' ? '?digest-algorithm=sha512' : '');
    it.each<[string, (blob: { bytes: Buffer; digest: string }) => Promise<Answer>]>([
      ['one POST', ({ bytes, digest }) => gateway.ask('POST', `${UPLOADS}?digest=${digest}`, {}, bytes)],
      ['one POST of unknown length', ({ bytes, digest }) => gateway.ask('POST', `${UPLOADS}?digest=${digest}`, {}, streamOf(bytes))],
      ['POST and PUT', async ({ bytes, digest }) => gateway.finish(await begin(), digest, bytes)],
      [
        'POST and PUT of unknown length',
        async ({ bytes, digest }) => gateway.ask('PUT', `${await begin()}?digest=${digest}`, {}, streamOf(bytes)),
      ],
      [
        'chunks',
        async ({ bytes, digest }) => {
          const path = await begin();
          expect(rangeOf(await gateway.patch(path, bytes.subarray(0, MIB), 0))).toBe(`0-${MIB - 1}`);
          const second = await gateway.patch(path, bytes.subarray(MIB), MIB);
          expect([second.status, rangeOf(second), second.headers.get('location')]).toEqual([202, `0-${bytes.length - 1}`, path]);
          return gateway.finish(path, digest);
        },
      ],
      [
        'chunks, the last by PUT',
        async ({ bytes, digest }) => {
          const path = await begin();
          await gateway.patch(path, bytes.subarray(0, MIB), 0);
          return gateway.finish(path, digest, bytes.subarray(MIB), MIB);
        },
      ],
      [
        'a stream',
        async ({ bytes, digest }) => {
          const path = await begin();
          const streamed = await gateway.ask('PATCH', path, {}, streamOf(bytes.subarray(0, 5), bytes.subarray(5)));
          expect([streamed.status, rangeOf(streamed)]).toEqual([202, `0-${bytes.length - 1}`]);
          return gateway.finish(path, digest);
        },
      ],
    ])('takes %s', async (_, push) => {
      const blob = aBlob(MIB + 12_345, algorithm);
      await expectStored(await push(blob), blob);
    });
  });

  it('takes a blob of no bytes, by every way', async () => {
    const blob = aBlob(0);
    await expectStored(await gateway.ask('POST', `${UPLOADS}?digest=${blob.digest}`), blob);
    await expectStored(await gateway.finish(await gateway.begin(), blob.digest), blob);
    const path = await gateway.begin();
    expect(rangeOf(await gateway.patch(path, blob.bytes))).toBe('0-0');
    await expectStored(await gateway.finish(path, blob.digest), blob);
  });

  it('proves an upload by another algorithm than it was begun for', async () => {
    const blob = aBlob(MIB, 'sha512');
    const path = await gateway.begin();
    await gateway.patch(path, blob.bytes);
    await expectStored(await gateway.finish(path, blob.digest), blob);
  });

  it('keeps one object of a blob that is pushed again, and proves it all the same', async () => {
    const blob = aBlob(5000);
    await gateway.ask('POST', `${UPLOADS}?digest=${blob.digest}`, {}, blob.bytes);
    const { objects } = await spec.files();
    await expectStored(await gateway.finish(await gateway.begin(), blob.digest, blob.bytes), blob);
    await expectStored(await gateway.ask('POST', `/v2/acme/twin/blobs/uploads/?digest=${blob.digest}`, {}, blob.bytes), blob, 'acme/twin');
    await eventually(async () => expect(await spec.files()).toEqual({ objects, unfinished: 0 }));
    const other = await gateway.ask('POST', `${UPLOADS}?digest=${blob.digest}`, {}, aBlob(5000).bytes);
    expect([other.status, other.code]).toEqual([400, 'DIGEST_INVALID']);
  });

  it('begins an upload for a digest without a body, which nothing can be proven by', async () => {
    const { digest } = aBlob(10);
    const begun = await gateway.ask('POST', `${UPLOADS}?digest=${digest}`);
    expect([begun.status, rangeOf(begun)]).toEqual([202, '0-0']);
    const path = begun.headers.get('location') ?? '';
    expect(path.split('/').at(-1)).toBe(begun.headers.get('docker-upload-uuid'));
    expect(Number(begun.headers.get('oci-chunk-min-length'))).toBeGreaterThan(0);
    expect((await gateway.ask('DELETE', path)).status).toBe(204);
  });

  it.each([
    ['POST', '?digest=sha256:xyz'],
    ['POST', '?digest=md5:d41d8cd98f00b204e9800998ecf8427e'],
    ['POST', '?mount=sha256:1'],
    ['POST', '?digest-algorithm=md5'],
  ])('refuses %s with %s', async (method, query) => {
    const refused = await gateway.ask(method, `${UPLOADS}${query}`);
    expect([refused.status, refused.code]).toEqual([400, 'DIGEST_INVALID']);
  });

  it('refuses to finish without a digest, and goes on', async () => {
    const blob = aBlob(100);
    const path = await gateway.begin();
    expect(await gateway.ask('PUT', path, {}, blob.bytes)).toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
    await expectStored(await gateway.finish(path, blob.digest, blob.bytes), blob);
  });

  it('answers a chunk out of order with where the upload goes on', async () => {
    const blob = aBlob(3000);
    const path = await gateway.begin();
    await gateway.patch(path, blob.bytes.subarray(0, 1000), 0);
    for (const ask of [
      () => gateway.patch(path, blob.bytes.subarray(2000), 2000),
      () => gateway.patch(path, blob.bytes.subarray(0, 1000), 0),
      () => gateway.finish(path, blob.digest, blob.bytes.subarray(2000), 2000),
      () => gateway.ask('PATCH', path, { 'content-range': '1000-1998' }, blob.bytes.subarray(1000, 2000)),
      () => gateway.ask('PATCH', path, { 'content-range': 'all' }, blob.bytes.subarray(1000)),
    ]) {
      const refused = await ask();
      expect([refused.status, refused.code, rangeOf(refused)]).toEqual([416, 'BLOB_UPLOAD_INVALID', '0-999']);
      expect(refused.headers.get('location')).toBe(path);
      const status = await gateway.ask('GET', path);
      expect([status.status, rangeOf(status), status.headers.get('location')]).toEqual([204, '0-999', path]);
    }
    await gateway.patch(path, blob.bytes.subarray(1000), 1000);
    await expectStored(await gateway.finish(path, blob.digest), blob);
  });

  it('leaves nothing of bytes that are not what was declared', async () => {
    const before = await spec.files();
    const { digest } = aBlob(1);
    const { bytes } = aBlob(2 * MIB);
    const answers = [
      await gateway.ask('POST', `${UPLOADS}?digest=${digest}`, {}, bytes),
      await gateway.finish(await gateway.begin(), digest, bytes),
    ];
    const path = await gateway.begin();
    await gateway.patch(path, bytes);
    answers.push(await gateway.finish(path, digest));
    expect(answers.map(answer => [answer.status, answer.code])).toEqual(Array(3).fill([400, 'DIGEST_INVALID']));
    expect([await spec.files(), await spec.count('gateway.uploads')]).toEqual([before, 0]);
    expect(await gateway.ask('GET', path)).toMatchObject({ status: 404, code: 'BLOB_UPLOAD_UNKNOWN' });
    expect((await gateway.ask('GET', `/v2/acme/app/blobs/${digest}`)).status).toBe(404);
  });

  it('ends an upload that is cancelled, with its bytes', async () => {
    const before = await spec.files();
    const path = await gateway.begin();
    await gateway.patch(path, aBlob(5000).bytes);
    expect((await gateway.ask('DELETE', path)).status).toBe(204);
    expect(await spec.files()).toEqual(before);
    for (const method of ['GET', 'DELETE', 'PATCH', 'PUT']) {
      const query = method === 'PUT' ? `?digest=${aBlob(0).digest}` : '';
      expect(await gateway.ask(method, `${path}${query}`)).toMatchObject({ status: 404, code: 'BLOB_UPLOAD_UNKNOWN' });
    }
  });

  it.each(['nonsense', '%00', 'ffffffff-ffff-4fff-8fff-ffffffffffff', '..%2f'])('knows no upload %s', async id => {
    expect(await gateway.ask('PATCH', `${UPLOADS}${id}`, {}, Buffer.from('x'))).toMatchObject({ status: 404, code: 'BLOB_UPLOAD_UNKNOWN' });
  });

  it('knows an upload in its own repository alone', async () => {
    const path = await gateway.begin();
    const elsewhere = path.replace('acme/app', 'acme/other');
    expect(await gateway.ask('GET', elsewhere)).toMatchObject({ status: 404, code: 'BLOB_UPLOAD_UNKNOWN' });
    expect(await gateway.ask('PATCH', path, { 'x-tenant': 'globex' }, Buffer.from('x'))).toMatchObject({ status: 403, code: 'DENIED' });
    await gateway.ask('DELETE', path);
  });

  describe('mounting', () => {
    const mount = (query: string, headers: Record<string, string> = {}, name = 'acme/mounting') =>
      gateway.ask('POST', `/v2/${name}/blobs/uploads/?${query}`, headers);
    const cancel = (answer: Answer) => gateway.ask('DELETE', answer.headers.get('location') ?? '');

    it('takes a blob over from another repository of the tenant', async () => {
      const blob = aBlob(4000);
      await gateway.ask('POST', `${UPLOADS}?digest=${blob.digest}`, {}, blob.bytes);
      await expectStored(await mount(`mount=${blob.digest}&from=acme/app`), blob, 'acme/mounting');
      await expectStored(await mount(`mount=${blob.digest}`, {}, 'acme/anywhere'), blob, 'acme/anywhere');
    });

    it('does so for a token that names but the repository it goes to, as the tokens of clients do', async () => {
      const blob = aBlob(4000);
      await gateway.ask('POST', `${UPLOADS}?digest=${blob.digest}`, {}, blob.bytes);
      for (const query of [`mount=${blob.digest}&from=acme/app`, `mount=${blob.digest}`]) {
        const name = `acme/narrow-${query.length}`;
        await expectStored(await mount(query, { 'x-only': name.slice('acme/'.length) }, name), blob, name);
      }
    });

    it('begins an upload for what is not there or is foreign, all alike', async () => {
      const foreign = aBlob(4000);
      await gateway.ask('POST', `/v2/globex/app/blobs/uploads/?digest=${foreign.digest}`, { 'x-tenant': 'globex' }, foreign.bytes);
      const own = aBlob(4000);
      await gateway.ask('POST', `${UPLOADS}?digest=${own.digest}`, {}, own.bytes);
      const asked = [
        await mount(`mount=${aBlob(1).digest}&from=acme/app`),
        await mount(`mount=${aBlob(1).digest}`),
        await mount(`mount=${foreign.digest}&from=globex/app`),
        await mount(`mount=${foreign.digest}&from=globex/absent`),
        await mount(`mount=${foreign.digest}&from=acme/app`),
        await mount(`mount=${foreign.digest}`),
        await mount(`mount=${own.digest}&from=library`),
      ];
      const shape = (answer: Answer) => ({
        status: answer.status,
        body: answer.bytes.length,
        names: [...answer.headers.keys()].toSorted(),
        range: rangeOf(answer),
      });
      for (const answer of asked) expect(shape(answer)).toEqual(shape(asked[0] as Answer));
      expect(asked[0]?.status).toBe(202);
      for (const answer of asked) await cancel(answer);
    });
  });

  describe('of several replicas', () => {
    let other: Replica;
    beforeAll(async () => {
      other = await spec.replica();
    });

    it('goes on at any of them where a connection broke', async () => {
      const blob = aBlob(6 * MIB);
      const path = await gateway.begin();
      const socket = await gateway.raw('PATCH', path, blob.bytes.length);
      const sent = 3 * MIB + 17;
      await new Promise<unknown>(resolve => socket.write(blob.bytes.subarray(0, sent), resolve));
      await eventually(async () => expect(await spec.files()).toMatchObject({ unfinished: 1 }));
      socket.destroy();
      const status = await eventually(async () => {
        const answer = await other.ask('GET', path);
        expect(rangeOf(answer)).not.toBe('0-0');
        return answer;
      });
      const size = Number(rangeOf(status)?.slice(2)) + 1;
      expect(size).toBeLessThanOrEqual(sent);
      const half = Math.floor((size + blob.bytes.length) / 2);
      expect((await other.patch(path, blob.bytes.subarray(size, half), size)).status).toBe(202);
      await expectStored(await gateway.finish(path, blob.digest, blob.bytes.subarray(half), half), blob);
    });

    it('keeps what came of a long PUT whose connection broke', async () => {
      const blob = aBlob(20 * MIB);
      const path = await gateway.begin();
      const socket = await gateway.raw('PUT', `${path}?digest=${blob.digest}`, blob.bytes.length);
      await new Promise<unknown>(resolve => socket.write(blob.bytes.subarray(0, 18 * MIB), resolve));
      socket.destroy();
      const size = await eventually(async () => {
        const range = rangeOf(await other.ask('GET', path));
        expect(range).not.toBe('0-0');
        return Number(range?.slice(2)) + 1;
      });
      await expectStored(await other.finish(path, blob.digest, blob.bytes.subarray(size), size), blob);
    });

    it('lets one of two that finish it win', async () => {
      for (let round = 0; round < 5; round++) {
        const blob = aBlob(MIB);
        const path = await gateway.begin();
        await gateway.patch(path, blob.bytes);
        const { objects } = await spec.files();
        const answers = await Promise.all([gateway.finish(path, blob.digest), other.finish(path, blob.digest)]);
        expect(answers.map(answer => answer.status).toSorted()).toEqual([201, 404]);
        expect(answers.find(answer => answer.status === 404)?.code).toBe('BLOB_UPLOAD_UNKNOWN');
        expect(await spec.files()).toEqual({ objects: objects + 1, unfinished: 0 });
      }
    });

    it('tells a second writer that another is sending, and counts nothing twice', async () => {
      const blob = aBlob(2 * MIB);
      const path = await gateway.begin();
      const socket = await gateway.raw('PATCH', path, blob.bytes.length);
      await new Promise<unknown>(resolve => socket.write(blob.bytes.subarray(0, MIB), resolve));
      await eventually(async () => expect(await spec.files()).toMatchObject({ unfinished: 1 }));
      const busy = await other.patch(path, blob.bytes);
      expect([busy.status, busy.code, busy.headers.get('retry-after')]).toEqual([409, 'BLOB_UPLOAD_INVALID', '1']);
      expect(rangeOf(await other.ask('GET', path))).toBe('0-0');
      const answered = new Promise<Buffer>(resolve => socket.once('data', resolve));
      socket.write(blob.bytes.subarray(MIB));
      expect((await answered).toString()).toMatch(/^HTTP\/1.1 202 /);
      socket.destroy();
      await expectStored(await other.finish(path, blob.digest), blob);
    });

    it('harms nothing when a writer that was taken for dead goes on', async () => {
      const blob = aBlob(3 * MIB);
      const path = await gateway.begin();
      await gateway.patch(path, blob.bytes.subarray(0, MIB), 0);
      const late = await gateway.raw('PATCH', path, MIB);
      await new Promise<unknown>(resolve => late.write(aBlob(MIB / 2).bytes, resolve));
      await eventually(async () => expect(await spec.sql('select 1 from gateway.uploads where lease_until > now()')).toHaveLength(1));
      await spec.sql(`update gateway.uploads set lease_until = now()`);
      expect((await other.patch(path, blob.bytes.subarray(MIB, 2 * MIB), MIB)).status).toBe(202);
      const answered = answerOrEnd(late);
      late.write(aBlob(MIB / 2).bytes);
      expect(await answered).toMatch(/^$|^HTTP\/1.1 409 .*BLOB_UPLOAD_INVALID/s);
      late.destroy();
      expect(rangeOf(await gateway.ask('GET', path))).toBe(`0-${2 * MIB - 1}`);
      expect((await gateway.patch(path, blob.bytes.subarray(2 * MIB), 2 * MIB)).status).toBe(202);
      const finished = await gateway.finish(path, blob.digest);
      expect([finished.status, finished.headers.get('docker-content-digest')]).toEqual([201, blob.digest]);
      expect((await gateway.ask('GET', `/v2/acme/app/blobs/${blob.digest}`)).bytes.equals(blob.bytes)).toBe(true);
    });
  });

  it('tells a finisher that was taken for dead that another finished', async () => {
    const other = await spec.replica();
    const blob = aBlob(20 * MIB);
    const path = await gateway.begin();
    await gateway.patch(path, blob.bytes.subarray(0, MIB), 0);
    const late = await gateway.raw('PUT', `${path}?digest=${blob.digest}`, 19 * MIB);
    await new Promise<unknown>(resolve => late.write(blob.bytes.subarray(MIB, 10 * MIB), resolve));
    await eventually(async () => expect(await spec.sql('select 1 from gateway.uploads where lease_until > now()')).toHaveLength(1));
    // It may be noticed while the other still sends.
    const answered = answerOrEnd(late);
    await spec.sql(`update gateway.uploads set lease_until = now()`);
    const won = await other.finish(path, blob.digest, blob.bytes.subarray(MIB), MIB);
    late.write(blob.bytes.subarray(10 * MIB));
    expect(await answered).toMatch(/^$|^HTTP\/1.1 (404|409) .*BLOB_UPLOAD_/s);
    late.destroy();
    await expectStored(won, blob);
  });

  describe('within limits', () => {
    it('refuses a blob that is too large as soon as that shows', async () => {
      const small = await spec.replica({ maxBlobBytes: 1000 });
      const { bytes, digest } = aBlob(1001);
      const before = await spec.files();
      const path = await small.begin();
      await small.patch(path, bytes.subarray(0, 900));
      for (const refused of [
        await small.ask('POST', `${UPLOADS}?digest=${digest}`, {}, bytes),
        await small.ask('POST', `${UPLOADS}?digest=${digest}`, {}, streamOf(bytes)),
        await small.patch(path, bytes.subarray(900)),
        await small.ask('PATCH', path, {}, streamOf(bytes.subarray(900))),
        await small.finish(path, digest, bytes.subarray(900)),
      ]) {
        expect([refused.status, refused.code]).toEqual([413, 'SIZE_INVALID']);
      }
      expect(rangeOf(await small.ask('GET', path))).toBe('0-899');
      await small.ask('DELETE', path);
      expect(await spec.files()).toEqual(before);
    });

    it('answers before a body that will never come', async () => {
      const sealed = await spec.replica({ sealed: true });
      for (const [method, path] of [
        ['POST', `${UPLOADS}?digest=${aBlob(1).digest}`],
        ['PATCH', `${UPLOADS}ffffffff-ffff-4fff-8fff-ffffffffffff`],
        ['PUT', '/v2/acme/app/manifests/v1'],
      ] as const) {
        const socket = await sealed.raw(method, path, 1_000_000);
        const answer = (await new Promise<Buffer>(resolve => socket.once('data', resolve))).toString();
        expect(answer).toMatch(/^HTTP\/1.1 403 .*"DENIED".*ERR_PACK_SEALED/s);
        socket.destroy();
      }
    });

    it('leaves nothing of a push that a seal came before', async () => {
      const before = await spec.files();
      const [blob, path] = [aBlob(MIB), await gateway.begin()];
      await spec.sql(`insert into registry.seals (tenant, sealed, since, changed_by, reason) values ('acme', true, now(), 'user:a', 'x')`);
      try {
        for (const refused of [
          await gateway.ask('POST', `${UPLOADS}?digest=${blob.digest}`, {}, blob.bytes),
          await gateway.finish(path, blob.digest, blob.bytes),
        ]) {
          expect([refused.status, refused.code]).toEqual([403, 'DENIED']);
        }
        expect(await spec.files()).toEqual(before);
      } finally {
        await spec.sql('delete from registry.seals');
      }
      await expectStored(await gateway.finish(path, blob.digest, blob.bytes), blob);
    });

    it('opens so many uploads for a tenant and no more', async () => {
      const tight = await spec.replica({ maxUploads: 2 });
      const paths = [await tight.begin(), await tight.begin()];
      const refused = await tight.ask('POST', UPLOADS);
      expect([refused.status, refused.code, refused.headers.get('retry-after')]).toEqual([429, 'TOOMANYREQUESTS', '1']);
      expect((await tight.ask('POST', '/v2/globex/app/blobs/uploads/', { 'x-tenant': 'globex' })).status).toBe(202);
      const blob = aBlob(10);
      expect((await tight.ask('POST', `${UPLOADS}?digest=${blob.digest}`, {}, blob.bytes)).status).toBe(201);
      for (const path of paths) await tight.ask('DELETE', path);
    });
  });
});
