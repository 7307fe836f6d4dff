import { auditLeaf, type AuditEntry } from './audit-entry';
import { sha256 } from './digest';
import { MEDIA_TYPES } from './media-types';
import { EMPTY_DESCRIPTOR, encodePackConfig, encodePackManifest, encodeSignatureManifest } from './oci-manifest';
import { requirementsOf, type PackManifest } from './pack-manifest';

const MANIFEST: PackManifest = {
  apiVersion: 'stellaops.io/pack.v1',
  kind: 'TaskPack',
  metadata: { packId: 'acme.hello', name: 'Hello', version: '1.0.0+linux' },
  spec: { steps: [{ id: 'greet', run: ['echo'] }] },
};
const BUNDLE = { mediaType: MEDIA_TYPES.packBundle, digest: sha256('bundle'), size: 6 };

function encode(manifest = MANIFEST) {
  const bytes = encodePackConfig(manifest);
  const config = { mediaType: MEDIA_TYPES.packConfig, digest: sha256(bytes), size: bytes.length };
  return { config, encoded: encodePackManifest(manifest, config, BUNDLE) };
}

describe('the manifest of a pack version', () => {
  it('keeps its digest from release to release: clients have pinned it', () => {
    expect(encode().config.digest).toBe('sha256:7efcf79bb125b307ba62442b74bef8874a70ecc2e1477fda73aca185ead96c30');
    expect(encode().encoded.digest).toBe('sha256:b7109f0fce4e0f291489400c003de597fc309370bc0a4fcc566d9121e2b345e1');
  });

  it('is an OCI artifact whose config is pack.yaml and whose one layer is the bundle', () => {
    const { config, encoded } = encode();
    expect(encoded).toMatchObject({ mediaType: MEDIA_TYPES.ociManifest, artifactType: MEDIA_TYPES.pack, size: encoded.bytes.length });
    expect(encoded.digest).toBe(sha256(encoded.bytes));
    expect(JSON.parse(encoded.bytes.toString())).toEqual({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: MEDIA_TYPES.pack,
      config,
      layers: [{ ...BUNDLE, annotations: { 'org.opencontainers.image.title': 'acme.hello-1.0.0+linux.tar.gz' } }],
      annotations: {
        'org.opencontainers.image.title': 'Hello',
        'org.opencontainers.image.version': '1.0.0+linux',
        'io.stellaops.pack.metadata': '{"packId":"acme.hello","type":"task","version":"1.0.0+linux"}',
      },
    });
  });

  it('does not depend on the order in which pack.yaml was written', () => {
    const { spec, metadata, kind, apiVersion } = MANIFEST;
    const { version, name, packId } = metadata;
    expect(encode({ spec, metadata: { version, name, packId }, kind, apiVersion }).encoded.bytes.equals(encode().encoded.bytes)).toBe(true);
  });

  it('differs when anything signed differs', () => {
    const other = encode({ ...MANIFEST, spec: { steps: [{ id: 'greet', run: ['date'] }] } });
    expect(other.encoded.digest).not.toBe(encode().encoded.digest);
  });
});

describe('the manifest of a signature', () => {
  it('refers to its subject and holds the exact document', () => {
    const { encoded } = encode();
    const subject = { mediaType: encoded.mediaType, digest: encoded.digest, size: encoded.size };
    const layer = { mediaType: MEDIA_TYPES.sigstoreBundle, digest: sha256('signature'), size: 9 };
    const signature = encodeSignatureManifest(layer, subject);
    expect(signature.artifactType).toBe(MEDIA_TYPES.sigstoreBundle);
    expect(JSON.parse(signature.bytes.toString())).toEqual({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: MEDIA_TYPES.sigstoreBundle,
      config: EMPTY_DESCRIPTOR,
      layers: [layer],
      subject,
    });
    // image-spec "Guidance for an Empty Descriptor".
    expect(EMPTY_DESCRIPTOR).toEqual({
      mediaType: 'application/vnd.oci.empty.v1+json',
      digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      size: 2,
    });
  });
});

describe('requirementsOf', () => {
  const dependencies = [{ packId: 'acme.base', version: '^1.0.0' }];

  it('is the dependencies, each with its place in pack.yaml', () => {
    expect(requirementsOf(MANIFEST)).toEqual([]);
    expect(requirementsOf({ ...MANIFEST, dependencies })).toEqual([{ packId: 'acme.base', version: '^1.0.0', pointer: '/dependencies/0' }]);
  });

  it('is for a bundle its members too', () => {
    const members = [{ packId: 'acme.hello', version: '1.x' }];
    expect(requirementsOf({ ...MANIFEST, kind: 'BundlePack', dependencies, spec: { members } }).map(one => one.pointer)).toEqual([
      '/dependencies/0',
      '/spec/members/0',
    ]);
  });
});

describe('auditLeaf', () => {
  it('is the RFC 8785 form of the entry, hashed as RFC 6962 hashes leaves', () => {
    const entry: AuditEntry = {
      seq: 1,
      id: 'evt_01J00000000000000000000000',
      type: 'pack.version.published',
      tenant: 'acme',
      packId: 'acme.hello',
      version: '1.0.0',
      actor: 'user:alice',
      source: null,
      signatures: [],
      metadataHash: sha256('x'),
      occurredAt: '2026-01-17T08:00:00.000Z',
      data: { b: 1, a: 2 },
    };
    const { bytes, hash } = auditLeaf(entry);
    expect(JSON.parse(bytes.toString())).toEqual(entry);
    expect(bytes.toString()).toMatch(/^\{"actor":"user:alice","data":\{"a":2,"b":1\},"id":/);
    expect(`sha256:${hash.toString('hex')}`).toBe(sha256(Buffer.concat([Buffer.of(0), bytes])));
  });
});
