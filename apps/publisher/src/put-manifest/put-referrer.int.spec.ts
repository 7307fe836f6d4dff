import { MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import { dyingInTransaction } from '../publisher.fixture';
import { PushingPublisher, type TestDescriptor } from '../pushing-publisher.fixture';
import { PushingSigner, simpleSigning, SLSA } from '../pushing-signer.fixture';

const stranger = new PushingSigner('release');

describe('PutManifest of what refers to a pack', () => {
  let publisher: PushingPublisher;
  beforeAll(async () => {
    publisher = await PushingPublisher.open();
  });
  beforeEach(() => publisher.anew());
  afterAll(() => publisher.close());

  const count = async (table: string) =>
    (await publisher.sql<{ n: number }>(`select count(*)::int as n from registry.${table} where tenant = $1`, [publisher.tenant]))[0]?.n;
  const signatures = () =>
    publisher.sql<{ digest: Digest; manifest_digest: Digest; media_type: string; key_name: string }>(
      `select digest, manifest_digest, media_type, key_name from registry.signatures where tenant = $1 order by digest`,
      [publisher.tenant],
    );
  /** A manifest as cosign 2 pushes it under a tag made from the digest. */
  async function tagged(digest: Digest, suffix: 'sig' | 'att' | 'sbom', layers: readonly (TestDescriptor & { annotations?: object })[]) {
    const config = await publisher.upload('acme.hello', '{"cosign":2}', 'application/vnd.oci.image.config.v1+json');
    const body = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers };
    return publisher.push('acme.hello', body, { tags: [`${digest.replace(':', '-')}.${suffix}`] });
  }
  async function simple(digest: Digest, about: Digest, signer = publisher.release) {
    const payload = simpleSigning(about);
    const layer = await publisher.upload('acme.hello', payload, MEDIA_TYPES.simpleSigning);
    const annotations = { 'dev.cosignproject.cosign/signature': signer.signature(payload).toString('base64') };
    return tagged(digest, 'sig', [{ ...layer, annotations }]);
  }

  describe('while its version waits', () => {
    it('lets nobody else have the number, and is no version yet', async () => {
      const reply = await publisher.pushPack({}, { tags: ['1.0.0'] });
      expect(reply).toMatchObject({ state: 'pending', version: '1.0.0' });
      expect([await count('pack_versions'), await count('packs'), await count('pending_versions')]).toEqual([0, 0, 1]);
      expect(await publisher.pushPack()).toEqual(reply);
      const other = await publisher.packBody({}, { annotations: { other: 'manifest' } });
      await expect(publisher.push('acme.hello', other.body)).rejects.toMatchObject({
        code: 'ERR_PACK_VERSION_EXISTS',
        details: { manifestDigest: reply.digest },
      });
      await expect(publisher.pushPack({ version: '1.0.0+other' })).rejects.toMatchObject({ code: 'ERR_PACK_VERSION_EXISTS' });
      await expect(publisher.publish({ name: 'Other content' })).rejects.toMatchObject({ code: 'ERR_PACK_VERSION_EXISTS' });
      expect(await publisher.events()).toMatchObject([
        {
          type: 'pack.version.pending',
          data: {
            manifestDigest: reply.digest,
            reasons: ['ERR_PACK_SIGNATURE_MISSING', 'ERR_PACK_SIGNATURE_UNTRUSTED'],
            expiresAt: '2026-01-18T08:00:00.000Z',
          },
        },
      ]);
    });

    it('publishes it by the signature of cosign 3', async () => {
      const { digest } = await publisher.pushPack();
      const reply = await publisher.refer(digest, publisher.release.statement(digest));
      expect(reply).toMatchObject({ subject: digest, state: 'published', version: '1.0.0' });
      expect([await count('pack_versions'), await count('pending_versions')]).toEqual([1, 0]);
      expect(await signatures()).toMatchObject([
        { manifest_digest: reply.digest, media_type: MEDIA_TYPES.sigstoreBundle, key_name: 'release' },
      ]);
      expect(await publisher.eventTypes()).toEqual(['pack.version.pending', 'pack.version.published']);
      expect(await publisher.pushPack({}, { tags: ['1.0.0'] })).toMatchObject({ digest, state: 'published' });
    });

    it('publishes it by the signature of cosign 2, which gets a referrer of its own', async () => {
      const { digest } = await publisher.pushPack();
      const reply = await simple(digest, digest);
      expect(reply).toMatchObject({ subject: null, state: 'published', version: '1.0.0' });
      const [signature] = await signatures();
      expect(signature).toMatchObject({ media_type: MEDIA_TYPES.simpleSignature, key_name: 'release' });
      expect(signature?.manifest_digest).not.toBe(reply.digest);
      const rows = await publisher.sql(
        `select subject, tagged_subject from registry.manifests where digest = any($1) and tenant = $2 order by 1`,
        [[reply.digest, signature?.manifest_digest], publisher.tenant],
      );
      expect(rows).toEqual([
        { subject: digest, tagged_subject: null },
        { subject: null, tagged_subject: digest },
      ]);
    });

    it('publishes it by a raw signature of the manifest, or of the bundle', async () => {
      for (const version of ['1.0.0', '2.0.0']) {
        const { body, bundle } = await publisher.packBody({ version });
        const { digest } = await publisher.push('acme.hello', body);
        const signed =
          version === '1.0.0'
            ? Buffer.from(JSON.stringify(body))
            : (publisher.blobs.objects.get(
                (await publisher.sql<{ object_key: string }>(`select object_key from content.blobs where digest = $1`, [bundle.digest]))[0]
                  ?.object_key ?? '',
              ) ?? Buffer.alloc(0));
        expect(await publisher.refer(digest, publisher.release.signature(signed), MEDIA_TYPES.rawSignature)).toMatchObject({
          state: 'published',
          version,
        });
      }
    });

    it.each([
      ['by a stranger', (about: Digest) => stranger.statement(about)],
      ['of something else', () => publisher.release.statement(sha256('else'))],
      ['that only attests', (about: Digest) => publisher.release.statement(about, SLSA)],
    ])('goes on waiting for a signature %s', async (_, sign) => {
      const { digest } = await publisher.pushPack();
      expect(await publisher.refer(digest, sign(digest))).toMatchObject({ state: 'pending', version: '1.0.0' });
      expect([await count('pack_versions'), await count('pending_versions')]).toEqual([0, 1]);
      expect(await publisher.eventTypes()).toEqual(['pack.version.pending']);
      expect(await publisher.refer(digest, publisher.release.statement(digest))).toMatchObject({ state: 'published' });
      expect(await signatures()).toHaveLength(1);
    });

    it.each([
      ['is about another manifest', (digest: Digest) => simple(digest, sha256('else'))],
      ['is by a stranger', (digest: Digest) => simple(digest, digest, stranger)],
    ])('goes on waiting when what cosign 2 signed %s', async (_, push) => {
      const { digest } = await publisher.pushPack();
      expect(await push(digest)).toMatchObject({ state: 'pending' });
    });

    it('goes on waiting for a key when it is signed without one', async () => {
      const { digest } = await publisher.pushPack();
      const bundle = JSON.parse(publisher.release.statement(digest).toString()) as object;
      const keyless = { ...bundle, verificationMaterial: { certificate: { rawBytes: 'AAAA' } } };
      expect(await publisher.refer(digest, Buffer.from(JSON.stringify(keyless)))).toMatchObject({ state: 'pending' });
    });

    it('counts what was attested meanwhile once it is published, as far as it verifies', async () => {
      const { digest } = await publisher.pushPack();
      const attestation = await publisher.refer(digest, publisher.release.statement(digest, SLSA));
      await publisher.refer(digest, stranger.statement(digest, SLSA));
      const envelope = await publisher.upload(
        'acme.hello',
        JSON.stringify(publisher.release.envelope(digest, 'https://spdx.dev/Document')),
        MEDIA_TYPES.dsseEnvelope,
      );
      await tagged(digest, 'att', [envelope]);
      expect(await count('pack_provenance')).toBe(0);
      await publisher.refer(digest, publisher.release.statement(digest));
      const rows = await publisher.sql<{ predicate_type: string; manifest_digest: Digest }>(
        `select predicate_type, manifest_digest from registry.pack_provenance where tenant = $1 order by 1`,
        [publisher.tenant],
      );
      expect(rows.map(row => row.predicate_type)).toEqual([SLSA, 'https://spdx.dev/Document']);
      expect(rows[0]?.manifest_digest).toBe(attestation.digest);
      expect(await publisher.eventTypes()).toEqual([
        'pack.version.pending',
        'pack.version.published',
        'pack.attestation.added',
        'pack.attestation.added',
      ]);
    });

    it('is published once when many signatures come at the same time', async () => {
      const { digest } = await publisher.pushPack();
      const documents = Array.from({ length: 6 }, (_, n) => publisher.release.statement(digest).toString() + ' '.repeat(n));
      const replies = await Promise.all(documents.map(text => publisher.refer(digest, Buffer.from(text))));
      expect(replies.filter(({ state }) => state === 'pending')).toEqual([]);
      expect((await publisher.eventTypes()).filter(type => type === 'pack.version.published')).toHaveLength(1);
    });

    it.each([1, 2, 3, 4, 5])('is published by the same push again after a death in its transaction %i', async nth => {
      const { digest } = await publisher.pushPack();
      const document = publisher.release.statement(digest);
      const dying = { unitOfWork: dyingInTransaction(publisher.unitOfWork, nth) };
      await expect(publisher.refer(digest, document, MEDIA_TYPES.sigstoreBundle, {}, dying)).rejects.toThrow('died before the commit');
      expect(await count('pack_versions')).toBe(0);
      expect(await publisher.refer(digest, document)).toMatchObject({ state: 'published' });
      expect(await publisher.eventTypes()).toEqual(['pack.version.pending', 'pack.version.published']);
    });

    it('keeps who pushed it, and tells who completed it', async () => {
      const { digest } = await publisher.pushPack();
      publisher.clock.advance(60_000);
      await publisher.refer(digest, publisher.release.statement(digest));
      const rows = await publisher.sql(
        `select published_by, published_at::text like '%08:01:00%' as later from registry.pack_versions where tenant = $1`,
        [publisher.tenant],
      );
      expect(rows).toEqual([{ published_by: 'user:alice', later: true }]);
    });

    it('does not publish what was taken back while its signature was judged', async () => {
      const { digest } = await publisher.pushPack();
      publisher.meanwhile = async () => {
        publisher.meanwhile = () => Promise.resolve();
        await publisher.delete('acme.hello', { manifest: digest });
      };
      await expect(publisher.refer(digest, publisher.release.statement(digest))).rejects.toMatchObject({
        code: 'ERR_OCI_MANIFEST_UNKNOWN',
      });
      expect(await count('pack_versions')).toBe(0);
    });
  });

  describe('by REST', () => {
    it('waits for a signature, and is published by one that comes by OCI', async () => {
      const reply = await publisher.publish({}, [], 'key');
      expect(reply).toMatchObject({
        outcome: 'pending',
        packId: 'acme.hello',
        version: '1.0.0',
        channel: 'edge',
        expiresAt: '2026-01-18T08:00:00.000Z',
      });
      if (reply.outcome !== 'pending') throw new Error(reply.outcome);
      expect(await publisher.publish({}, [], 'key')).toMatchObject({ outcome: 'pending' });
      expect(await publisher.eventTypes()).toEqual(['pack.version.pending']);
      expect(await publisher.refer(reply.manifestDigest, publisher.release.statement(reply.manifestDigest))).toMatchObject({
        state: 'published',
      });
      expect(await publisher.publish({}, [], 'key')).toMatchObject({ outcome: 'already-published', manifestDigest: reply.manifestDigest });
    });

    it('completes what was pushed by OCI, and keeps its manifest', async () => {
      const { body, manifest } = await publisher.packBody({}, { annotations: { by: 'oras' } });
      const { digest } = await publisher.push('acme.hello', body);
      const signature = publisher.release.ofBytes(Buffer.from(JSON.stringify(manifest)));
      expect(await publisher.publish({}, [signature])).toMatchObject({ outcome: 'published', manifestDigest: digest });
      expect(await count('pending_versions')).toBe(0);
      expect(await signatures()).toMatchObject([{ digest: sha256(signature), key_name: 'release' }]);
    });

    it('waits with a signature by a stranger, and refuses one that does not verify', async () => {
      const content = Buffer.from(JSON.stringify((await publisher.packBody()).manifest));
      const broken = Buffer.from(
        publisher.release
          .ofBytes(content)
          .toString()
          .replace(/"signature":"..../, '"signature":"AAAA'),
      );
      expect(await publisher.publish({}, [broken])).toMatchObject({ outcome: 'rejected' });
      expect(await publisher.publish({}, [stranger.ofBytes(content)])).toMatchObject({ outcome: 'pending' });
      expect(await count('manifests')).toBe(2);
    });

    it('is refused where the policy lets nothing wait', async () => {
      await publisher.policy('reject', 2);
      expect(await publisher.publish()).toMatchObject({ outcome: 'rejected' });
      expect(await count('pending_versions')).toBe(0);
    });
  });

  describe('when its version is published', () => {
    let digest: Digest;
    beforeEach(async () => {
      ({ digest } = await publisher.pushPack());
      await publisher.refer(digest, publisher.release.statement(digest));
    });

    it('keeps a further signature beside it', async () => {
      const reply = await publisher.refer(digest, stranger.statement(digest));
      expect(reply).toMatchObject({ subject: digest, state: 'stored', version: null });
      expect(await signatures()).toHaveLength(1);
    });

    it('adds a signature by who is trusted to those of the version, byte for byte and once', async () => {
      const document = Buffer.from(`${publisher.release.statement(digest).toString()} `);
      const reply = await publisher.refer(digest, document);
      expect(await publisher.refer(digest, document)).toEqual(reply);
      expect(await signatures()).toHaveLength(2);
      expect(await signatures()).toContainEqual(expect.objectContaining({ digest: sha256(document), manifest_digest: reply.digest }));
      expect((await publisher.eventTypes()).filter(type => type === 'pack.signature.rotated')).toHaveLength(1);
    });

    it('adds those under the tag of cosign 2 that count, each with a referrer of its own', async () => {
      const payload = simpleSigning(digest);
      const layer = await publisher.upload('acme.hello', payload, MEDIA_TYPES.simpleSigning);
      const signed = (signer: PushingSigner) => ({ 'dev.cosignproject.cosign/signature': signer.signature(payload).toString('base64') });
      const layers = [stranger, publisher.release].map(signer => ({ ...layer, annotations: signed(signer) }));
      const reply = await tagged(digest, 'sig', layers);
      const added = (await signatures()).filter(({ media_type }) => media_type === MEDIA_TYPES.simpleSignature);
      expect(added).toHaveLength(1);
      expect(added[0]?.manifest_digest).not.toBe(reply.digest);
    });

    it('adds all of many that come at the same time', async () => {
      const documents = Array.from({ length: 6 }, (_, n) =>
        Buffer.from(`${publisher.release.statement(digest).toString()}${' '.repeat(n + 1)}`),
      );
      await Promise.all(documents.map(document => publisher.refer(digest, document)));
      expect(await signatures()).toHaveLength(7);
    });

    it('brings nothing back that was replaced', async () => {
      const [old] = await signatures();
      const document = Buffer.from(`${publisher.release.statement(digest).toString()} `);
      await publisher.refer(digest, document);
      await publisher.rotate([], [old?.digest ?? digest]);
      await publisher.refer(digest, publisher.release.statement(digest));
      expect((await signatures()).map(signature => signature.digest)).toEqual([sha256(document)]);
    });

    it('brings nothing back that was replaced while it was judged', async () => {
      const document = Buffer.from(`${publisher.release.statement(digest).toString()} `);
      const before = await signatures();
      publisher.meanwhile = async () => {
        publisher.meanwhile = () => Promise.resolve();
        await publisher.refer(digest, document);
        await publisher.rotate([], [sha256(document)]);
      };
      await publisher.refer(digest, document);
      expect(await signatures()).toEqual(before);
      expect((await publisher.eventTypes()).filter(type => type === 'pack.signature.rotated')).toHaveLength(2);
    });

    it('takes an attestation that verifies, byte for byte, and counts it once', async () => {
      const document = publisher.release.statement(digest, SLSA);
      const reply = await publisher.refer(digest, document);
      expect(await publisher.refer(digest, document)).toEqual(reply);
      const rows = await publisher.sql(`select digest, manifest_digest from registry.pack_provenance where tenant = $1`, [
        publisher.tenant,
      ]);
      expect(rows).toEqual([{ digest: sha256(document), manifest_digest: reply.digest }]);
    });

    it('takes the attestations under the tag of cosign 2, each with a referrer of its own', async () => {
      const types = [SLSA, 'https://spdx.dev/Document'];
      const envelopes = types.map(type => JSON.stringify(publisher.release.envelope(digest, type)));
      const layers = [];
      for (const text of envelopes) layers.push(await publisher.upload('acme.hello', text, MEDIA_TYPES.dsseEnvelope));
      const reply = await tagged(digest, 'att', layers);
      const rows = await publisher.sql<{ predicate_type: string; subject: Digest; manifest_digest: Digest }>(
        `select a.predicate_type, m.subject, a.manifest_digest from registry.pack_provenance a
         join registry.manifests m on m.tenant = a.tenant and m.digest = a.manifest_digest where a.tenant = $1 order by 1`,
        [publisher.tenant],
      );
      expect(rows).toMatchObject(types.map(type => ({ predicate_type: type, subject: digest })));
      expect(rows.map(row => row.manifest_digest)).not.toContain(reply.digest);
      expect(await publisher.sql(`select 1 from registry.tags where tenant = $1`, [publisher.tenant])).toHaveLength(1);
    });

    it('refuses one that does not', async () => {
      const before = await count('manifests');
      await expect(publisher.refer(digest, stranger.statement(digest, SLSA))).rejects.toMatchObject({
        code: 'ERR_PACK_ATTESTATION_INVALID',
      });
      expect(await count('manifests')).toBe(before);
    });

    it('keeps an SBOM under the tag of cosign 2, which may move', async () => {
      for (const text of ['one', 'two']) {
        const reply = await tagged(digest, 'sbom', [await publisher.upload('acme.hello', text, 'text/spdx+json')]);
        const rows = await publisher.sql(`select tag, manifest_digest from registry.tags where tenant = $1`, [publisher.tenant]);
        expect(rows).toEqual([{ tag: `${digest.replace(':', '-')}.sbom`, manifest_digest: reply.digest }]);
      }
    });

    it.each([
      [
        'names nothing of the pack',
        { subject: { mediaType: MEDIA_TYPES.ociManifest, digest: sha256('nothing'), size: 1 } },
        'ERR_OCI_MANIFEST_INVALID',
      ],
      ['has no subject', { subject: undefined }, 'ERR_OCI_MANIFEST_INVALID'],
      [
        'is an SBOM with layers that are not there',
        { layers: [{ mediaType: 'text/plain', digest: sha256('absent'), size: 1 }] },
        'ERR_OCI_MANIFEST_BLOB_UNKNOWN',
      ],
    ])('refuses what %s', async (_, changes, code) => {
      await expect(publisher.refer(digest, Buffer.from('x'), 'text/plain', changes)).rejects.toMatchObject({ code });
    });

    it.each(['latest', '1.0.0', `sha256-${'0'.repeat(64)}.sig`])('refuses the tag %s', async tag => {
      const config = await publisher.upload('acme.hello', '{}', MEDIA_TYPES.ociEmpty);
      const subject = { mediaType: MEDIA_TYPES.ociManifest, digest, size: 1 };
      const body = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [], subject };
      await expect(publisher.push('acme.hello', body, { tags: [tag] })).rejects.toMatchObject({ code: 'ERR_OCI_TAG_PROTECTED' });
    });

    it('refuses a bundle that is none, and an image signature without its annotation', async () => {
      await expect(publisher.refer(digest, Buffer.from('{}'))).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_INVALID' });
      const layer = await publisher.upload('acme.hello', simpleSigning(digest), MEDIA_TYPES.simpleSigning);
      await expect(tagged(digest, 'sig', [layer])).rejects.toMatchObject({ code: 'ERR_OCI_MANIFEST_INVALID' });
    });
  });
});
