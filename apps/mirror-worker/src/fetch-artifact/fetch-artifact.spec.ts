import { DomainError, encodeAttestationManifest, encodeSignatureManifest, EMPTY_JSON, MEDIA_TYPES, sha256 } from '@packs/domain';
import type { SealOf } from '@packs/oci-layout';
import { ContentCatalog, type RemoteRepository, type StoredBlob } from '@packs/ports';
import { parseArtifactReference, RegistryClient } from '@packs/registry-client';
import { encodeSimpleSignature } from '@packs/sigstore';
import { InMemoryBlobStore, TestOciRegistry } from '@packs/testing';
import { FetchArtifact } from './fetch-artifact';

const BUNDLE = Buffer.from('the bundle');
const DIGEST = `sha256:${'a'.repeat(64)}`;

/** Remembers the first object of each digest. */
class Catalog extends ContentCatalog {
  readonly known = new Map<string, StoredBlob>();

  record(blobs: readonly StoredBlob[]): Promise<StoredBlob[]> {
    return Promise.resolve(
      blobs.map(blob => {
        const held = this.known.get(blob.digest) ?? blob;
        this.known.set(blob.digest, held);
        return held;
      }),
    );
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

async function put(repository: RemoteRepository, bytes: Buffer, mediaType: string) {
  await repository.writeBlob({ digest: sha256(bytes), size: bytes.length }, once(bytes));
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

/** A pack as it lies in a registry, under the tag 1.0.0. */
async function aPackIn(repository: RemoteRepository, changes: object = {}) {
  const layers = [await put(repository, BUNDLE, MEDIA_TYPES.packBundle)];
  const config = await put(repository, EMPTY_JSON, MEDIA_TYPES.packConfig);
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, artifactType: MEDIA_TYPES.pack, config, layers, ...changes };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await repository.putManifest('1.0.0', { mediaType: MEDIA_TYPES.ociManifest, bytes });
  return { mediaType: MEDIA_TYPES.ociManifest, digest: sha256(bytes), size: bytes.length };
}

describe.each([true, false])('FetchArtifact, with a referrers API there: %s,', referrersApi => {
  let registry: TestOciRegistry;
  let there: RemoteRepository;
  let blobs: InMemoryBlobStore;
  let catalog: Catalog;
  let sealedBy: Awaited<ReturnType<SealOf>>;
  let fetchArtifact: FetchArtifact;
  beforeEach(async () => {
    registry = await TestOciRegistry.start({ referrersApi });
    const sources = new RegistryClient({
      registries: [registry.allowed],
      credentialsOf: () => Promise.resolve(undefined),
      pause: () => Promise.resolve(),
    });
    there = sources.repository(registry.host, 'team/hello');
    [blobs, catalog, sealedBy] = [new InMemoryBlobStore(), new Catalog(), null];
    fetchArtifact = new FetchArtifact(sources, blobs, catalog, () => Promise.resolve(sealedBy));
  });
  afterEach(() => registry.stop());

  const fetchIt = (reference: string, maxBundleBytes = 1_000) =>
    fetchArtifact.execute({ tenant: 'acme', actor: 'client:x', source: null, reference: `${registry.host}/${reference}`, maxBundleBytes });
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: unknown) => (error instanceof DomainError ? error.code : error),
    );

  it('brings a pack with its signatures in the manifests they came in, and nothing else that refers to it', async () => {
    const subject = await aPackIn(there);
    const documents = { signature: Buffer.from('signed'), attestation: Buffer.from('attested') };
    const signature = encodeSignatureManifest(await put(there, documents.signature, MEDIA_TYPES.sigstoreBundle), subject);
    const attested = await put(there, documents.attestation, MEDIA_TYPES.sigstoreBundle);
    const attestation = encodeAttestationManifest(attested, subject, 'https://slsa.dev/provenance/v1');
    for (const manifest of [signature, attestation]) await there.putManifest(manifest.digest, manifest);
    for (const reference of ['team/hello:1.0.0', `team/hello@${subject.digest}`, `team/hello:other@${subject.digest}`]) {
      const { artifact, bundle, signatures } = await fetchIt(reference);
      expect([
        artifact.manifest.digest,
        bundle.digest,
        signatures.map(({ digest, mediaType, referrer }) => [digest, mediaType, referrer?.manifest.digest]),
      ]).toEqual([subject.digest, sha256(BUNDLE), [[sha256(documents.signature), MEDIA_TYPES.sigstoreBundle, signature.digest]]]);
      expect(blobs.objects.get(bundle.objectKey)).toEqual(BUNDLE);
      expect(sha256(blobs.objects.get(artifact.manifest.objectKey) ?? '')).toBe(subject.digest);
      expect(blobs.objects.get(artifact.config.objectKey)).toEqual(EMPTY_JSON);
    }
    expect(blobs.objects.size).toBe(5);
  });

  it('brings the signatures that cosign 2 keeps under a tag, each as one document', async () => {
    const subject = await aPackIn(there);
    const layer = await put(there, Buffer.from('{"critical":{}}'), MEDIA_TYPES.simpleSigning);
    const annotations = { 'dev.cosignproject.cosign/signature': Buffer.from('signed').toString('base64') };
    const layers = [{ ...layer, annotations }, layer, { ...layer, annotations }];
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: layer, layers }));
    await there.putManifest(`${subject.digest.replace(':', '-')}.sig`, { mediaType: MEDIA_TYPES.ociManifest, bytes });
    const { signatures } = await fetchIt('team/hello:1.0.0');
    expect(signatures.map(({ mediaType }) => mediaType)).toEqual([MEDIA_TYPES.simpleSignature]);
    expect(blobs.objects.get(signatures[0]?.objectKey ?? '')).toEqual(
      encodeSimpleSignature(Buffer.from('{"critical":{}}'), Buffer.from('signed')),
    );
  });

  it.each<[string, object]>([
    ['an image', { artifactType: 'application/vnd.somebody' }],
    ['a pack without a bundle', { layers: [] }],
    ['a pack without a config of its own', { config: null }],
  ])('takes %s for no pack', async (_, changes) => {
    await aPackIn(there, changes);
    expect(await codeOf(fetchIt('team/hello:1.0.0'))).toBe('ERR_OCI_MANIFEST_INVALID');
    expect(blobs.objects.size).toBe(0);
  });

  it('leaves nothing of what turns out to have other bytes', async () => {
    await aPackIn(there);
    registry.repository('team/hello').blobs.set(sha256(BUNDLE), Buffer.alloc(BUNDLE.length));
    expect(await codeOf(fetchIt('team/hello:1.0.0'))).toBe('ERR_REGISTRY_CORRUPT');
    expect([blobs.objects.size, catalog.known.size]).toEqual([0, 0]);
  });

  it('takes no bundle that is too large, and finds nothing where nothing is', async () => {
    await aPackIn(there);
    expect(await codeOf(fetchIt('team/hello:1.0.0', 3))).toBe('ERR_PACK_TOO_LARGE');
    expect(await codeOf(fetchIt('team/hello:2.0.0'))).toBe('ERR_PACK_NOT_FOUND');
    expect(blobs.objects.size).toBe(0);
  });

  it('connects to nothing for a tenant that is sealed', async () => {
    sealedBy = 'api';
    expect(await codeOf(fetchIt('team/hello:1.0.0'))).toBe('ERR_PACK_SEALED');
    expect(registry.requests).toEqual([]);
  });
});

describe('a reference', () => {
  it.each([
    ['registry.example/hello:1.0.0', { host: 'registry.example', repository: 'hello', manifest: '1.0.0' }],
    [`registry.example:5000/a/b/hello@${DIGEST}`, { host: 'registry.example:5000', repository: 'a/b/hello', manifest: DIGEST }],
    [`[::1]:5000/hello:1@${DIGEST}`, { host: '[::1]:5000', repository: 'hello', manifest: DIGEST }],
  ])('%s', (text, parts) => {
    expect(parseArtifactReference(text)).toEqual(parts);
  });

  it.each([
    '',
    'hello',
    'hello:1.0.0',
    'registry.example/hello',
    'registry.example/:1',
    'registry.example/hello:',
    'registry.example/hello:a b',
  ])('is not %j', text =>
    expect(() => parseArtifactReference(text)).toThrow(expect.objectContaining({ code: 'ERR_PACK_REQUEST_INVALID' }) as Error),
  );

  it.each([
    'https://registry.example/hello:1',
    'me:secret@registry.example/hello:1',
    `registry.example/hello@sha256:00`,
    `a/b@${DIGEST}@${DIGEST}`,
  ])('nor %j', text =>
    expect(() => parseArtifactReference(text)).toThrow(expect.objectContaining({ code: 'ERR_PACK_REQUEST_INVALID' }) as Error),
  );
});
