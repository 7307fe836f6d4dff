import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { DeleteContent, PutManifest, type DeleteContentReply, type PutManifestReply, type PutManifestRequest } from '@packs/contracts';
import { DomainError, type Digest } from '@packs/domain';
import { aBlob, PushingSpec, type Replica } from '../uploads/pushing.fixture';

jest.setTimeout(30_000);

const TYPE = 'application/vnd.oci.image.manifest.v1+json';
const MIB = 1024 * 1024;

describe('pushes of manifests', () => {
  let spec: PushingSpec;
  let gateway: Replica;
  beforeAll(async () => {
    spec = await PushingSpec.open();
  });
  afterAll(() => spec.close());
  beforeEach(async () => {
    gateway = await spec.replica();
    answers({});
  });

  const put = (reference: string, bytes: Buffer, headers: Record<string, string> = { 'content-type': TYPE }) =>
    gateway.ask('PUT', `/v2/acme/app/manifests/${reference}`, headers, bytes);
  const hashOf = (bytes: Buffer, algorithm = 'sha256'): Digest =>
    `${algorithm as 'sha256'}:${createHash(algorithm).update(bytes).digest('hex')}`;
  const crcOf = (bytes: Buffer): string => {
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32(bytes));
    return checksum.toString('base64');
  };
  const sentKey = (): string => (gateway.commands.sent.at(-1)?.request as PutManifestRequest).manifest.objectKey;
  const aManifest = () => Buffer.from(JSON.stringify({ schemaVersion: 2, annotations: { unique: aBlob(8).digest } }, null, 2));
  const answers = (reply: Partial<PutManifestReply>) =>
    gateway.commands.answer(PutManifest, ({ manifest: { digest, objectKey } }): PutManifestReply => {
      return { digest, objectKey, subject: null, state: 'stored', version: null, ...reply };
    });

  it('stores the bytes as they came, and has the publisher give them their meaning', async () => {
    const bytes = aManifest();
    const answer = await put('v1.0', bytes, { 'content-type': `${TYPE}; charset=utf-8`, 'user-agent': 'oras/1.3' });
    expect([answer.status, answer.headers.get('location')]).toEqual([201, `/v2/acme/app/manifests/${hashOf(bytes)}`]);
    expect(answer.headers.get('docker-content-digest')).toBe(hashOf(bytes));
    for (const name of ['oci-subject', 'oci-tag', 'stella-pack-state']) expect([name, answer.headers.get(name)]).toEqual([name, null]);
    const manifest = { digest: hashOf(bytes), size: bytes.length, objectKey: expect.any(String), blockChecksums: crcOf(bytes) };
    expect(gateway.commands.sent).toEqual([
      {
        subject: PutManifest.subject,
        request: {
          ...{ tenant: 'acme', actor: 'user:alice', source: 'oras/1.3', repository: 'app', tags: ['v1.0'], mediaType: TYPE },
          manifest,
        },
      },
    ]);
    expect(await spec.bytesOf(sentKey())).toEqual(bytes);
  });

  it.each(['sha256', 'sha512'])('takes one by its %s digest, with tags', async algorithm => {
    const bytes = aManifest();
    const answer = await put(`${hashOf(bytes, algorithm)}?tag=1.2.3&tag=1.2&tag=latest&tag=1.2`, bytes);
    expect([answer.status, answer.headers.get('docker-content-digest')]).toEqual([201, hashOf(bytes, algorithm)]);
    expect(answer.headers.get('oci-tag')).toBe('1.2.3, 1.2, latest');
    expect(gateway.commands.sent[0]?.request).toMatchObject({ tags: ['1.2.3', '1.2', 'latest'] });
  });

  it('tells what the publisher made of it', async () => {
    const subject = hashOf(Buffer.from('subject'));
    answers({ subject, state: 'pending' });
    const answer = await put('v1', aManifest());
    expect([answer.headers.get('oci-subject'), answer.headers.get('stella-pack-state')]).toEqual([subject, 'pending']);
  });

  it('keeps one object of what is pushed twice: the one that the publisher knows of', async () => {
    const bytes = aManifest();
    await put('one', bytes);
    const objectKey = sentKey();
    const before = await spec.files();
    answers({ objectKey });
    await put('two', bytes);
    expect(await spec.files()).toEqual(before);
    expect(await spec.bytesOf(objectKey)).toEqual(bytes);
  });

  it('keeps the bytes of a push whose outcome is not known, on a record, once', async () => {
    const bytes = aManifest();
    gateway.commands.answer(PutManifest, () => {
      throw new DomainError('ERR_PACK_UNAVAILABLE', 'publisher does not answer', { retry: 'later' });
    });
    const before = await spec.files();
    expect((await put('v1', bytes)).status).toBe(503);
    const first = sentKey();
    expect((await put('v1', bytes)).status).toBe(503);
    expect(await spec.files()).toEqual({ ...before, objects: before.objects + 1 });
    expect(await spec.sql('select object_key from content.blobs where digest = $1', [hashOf(bytes)])).toEqual([{ object_key: first }]);
    expect(await spec.bytesOf(first)).toEqual(bytes);
  });

  describe('of generic content', () => {
    const UPLOADS = 'blobs/uploads/';
    /** A manifest over a blob that is there, as `tenant` pushes it. */
    async function over(tenant: string, changes: object = {}): Promise<Buffer> {
      const { digest, bytes } = aBlob(100);
      await gateway.ask('POST', `/v2/${tenant}/app/${UPLOADS}?digest=${digest}`, { 'x-tenant': tenant }, bytes);
      const config = { mediaType: 'application/vnd.example.config', digest, size: bytes.length };
      return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPE, config, layers: [], ...changes }));
    }
    const tagsOf = (bytes: Buffer) =>
      spec.sql('select tenant, repository, tag from registry.tags where manifest_digest = $1 order by tag', [hashOf(bytes)]);

    it('records it without the publisher, and answers the same push the same', async () => {
      const bytes = await over('acme');
      const answer = await put('v1?tag=v2', bytes);
      expect([answer.status, answer.headers.get('docker-content-digest'), answer.headers.get('oci-tag')]).toEqual([
        201,
        hashOf(bytes),
        'v1, v2',
      ]);
      expect(await tagsOf(bytes)).toEqual(['v1', 'v2'].map(tag => ({ tenant: 'acme', repository: 'app', tag })));
      const before = await spec.files();
      expect((await put('v1', bytes)).status).toBe(201);
      expect(await spec.files()).toEqual(before);
      expect((await gateway.ask('GET', '/v2/acme/app/manifests/v1')).bytes).toEqual(bytes);
      expect(gateway.commands.sent).toEqual([]);
    });

    it('does no more for bytes that another tenant has, and no less', async () => {
      const bytes = await over('globex');
      const { digest } = (JSON.parse(bytes.toString()) as { config: { digest: string } }).config;
      const blob = await gateway.ask('GET', `/v2/globex/app/blobs/${digest}`, { 'x-tenant': 'globex' });
      await gateway.ask('POST', `/v2/acme/app/${UPLOADS}?digest=${digest}`, {}, blob.bytes);
      const path = '/v2/globex/app/manifests/v1';
      expect((await gateway.ask('PUT', path, { 'content-type': TYPE, 'x-tenant': 'globex' }, bytes)).status).toBe(201);
      expect((await put('same', bytes)).status).toBe(201);
      expect(await tagsOf(bytes)).toHaveLength(2);
      expect(gateway.commands.sent).toEqual([]);
    });

    it('acknowledges nothing over an earlier object that is damaged', async () => {
      const bytes = await over('acme');
      expect((await put('v1', bytes)).status).toBe(201);
      const [row] = await spec.sql<{ object_key: string }>('select object_key from content.blobs where digest = $1', [hashOf(bytes)]);
      const key = row?.object_key ?? '';
      await writeFile(join(spec.folder, 'objects', key.slice(-1), key), 'damaged');
      expect((await put('again', bytes)).status).toBe(500);
    });

    it.each<[string, object]>([
      ['a blob that is missing', { layers: [{ mediaType: 'application/vnd.example.layer', digest: aBlob(8).digest, size: 8 }] }],
      ['a subject', { subject: { mediaType: TYPE, digest: aBlob(8).digest, size: 8 } }],
      ['a part of a pack', { artifactType: 'application/vnd.stellaops.pack.v1' }],
      ['more than is read at once', { annotations: { long: 'x'.repeat(70_000) } }],
    ])('leaves one with %s to the publisher', async (_, changes) => {
      const bytes = await over('acme', changes);
      expect((await put('v9', bytes)).status).toBe(201);
      expect(gateway.commands.sent).toMatchObject([{ subject: PutManifest.subject, request: { manifest: { digest: hashOf(bytes) } } }]);
      expect(await tagsOf(bytes)).toEqual([]);
    });
  });

  it('leaves nothing of bytes that are not what the reference says', async () => {
    const before = await spec.files();
    for (const algorithm of ['sha256', 'sha512']) {
      const refused = await put(hashOf(Buffer.from('else'), algorithm), aManifest());
      expect([refused.status, refused.code]).toEqual([400, 'DIGEST_INVALID']);
    }
    expect([await spec.files(), gateway.commands.sent]).toEqual([before, []]);
  });

  it('takes 4 MiB and not a byte more', async () => {
    expect((await put('large', Buffer.alloc(4 * MIB, ' '))).status).toBe(201);
    expect(await put('large', Buffer.alloc(4 * MIB + 1, ' '))).toMatchObject({ status: 413, code: 'SIZE_INVALID' });
    const endless = ReadableStream.from([Buffer.alloc(4 * MIB), Buffer.alloc(MIB)]);
    expect(await gateway.ask('PUT', '/v2/acme/app/manifests/large', {}, endless)).toMatchObject({ status: 413, code: 'SIZE_INVALID' });
  });

  it.each([
    ['-v1', 'MANIFEST_INVALID'],
    [`v1?tag=${'x'.repeat(129)}`, 'MANIFEST_INVALID'],
    [`v1?${Array.from({ length: 32 }, (_, at) => `tag=t${at}`).join('&')}`, 'MANIFEST_INVALID'],
    ['sha256:abc', 'DIGEST_INVALID'],
  ])('refuses the reference %s', async (reference, code) => {
    expect(await put(reference, aManifest())).toMatchObject({ status: 400, code });
    expect(gateway.commands.sent).toEqual([]);
  });

  it('hands on why the publisher refuses', async () => {
    gateway.commands.answer(PutManifest, () => {
      throw new DomainError('ERR_OCI_MANIFEST_BLOB_UNKNOWN', 'names content that is not there');
    });
    expect(await put('v1', aManifest())).toMatchObject({ status: 404, code: 'MANIFEST_BLOB_UNKNOWN' });
  });

  it('has the publisher delete tags, manifests and blobs', async () => {
    gateway.commands.answer(DeleteContent, (): DeleteContentReply => ({ outcome: 'deleted' }));
    const digest = hashOf(Buffer.from('x'), 'sha512');
    for (const [path, target] of [
      ['manifests/v1', { tag: 'v1' }],
      [`manifests/${digest}`, { manifest: digest }],
      [`blobs/${digest}`, { blob: digest }],
    ] as const) {
      expect((await gateway.ask('DELETE', `/v2/acme/app/${path}`)).status).toBe(202);
      expect(gateway.commands.sent.at(-1)).toMatchObject({ subject: DeleteContent.subject, request: { repository: 'app', target } });
    }
    expect(await gateway.ask('DELETE', '/v2/acme/app/blobs/v1')).toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
    expect(await gateway.ask('DELETE', '/v2/globex/app/manifests/v1')).toMatchObject({ status: 403, code: 'DENIED' });
    expect(gateway.commands.sent).toHaveLength(3);
  });
});
