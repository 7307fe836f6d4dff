import { EMPTY_JSON, MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import type { RemoteRepository } from '@packs/ports';
import { RegistryClient } from '@packs/registry-client';
import { aPackArtifact, aSignatureOf, OCI_MANIFEST, ociBlob, type OciArtifact, type OciBlob } from './oci-content';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import type { SigningKey } from './signing-key';

/** What lies in a registry of others, as clients put it there. */
export class Upstream {
  readonly repository: RemoteRepository;

  /** @param token an access token, where the registry is one of ours */
  constructor(host: string, name: string, token?: string) {
    const client = new RegistryClient({
      registries: [{ host, protocol: 'http:', allowsPrivate: true }],
      credentialsOf: () => Promise.resolve(token === undefined ? undefined : { username: 'robot', password: token }),
    });
    this.repository = client.repository(host, name);
  }

  async push({ bytes, digest, blobs }: OciArtifact, tag?: string, mediaType = OCI_MANIFEST): Promise<Digest> {
    for (const blob of blobs) await this.blob(blob);
    return this.repository.putManifest(tag ?? digest, { mediaType, bytes });
  }

  /** A pack whose manifest says something that only its own bytes do. */
  async pack(
    version: string,
    { packId = 'hello', key, note = '' }: { packId?: string; key?: SigningKey; note?: string } = {},
  ): Promise<{
    readonly bundle: Bundle;
    readonly manifest: OciBlob;
    readonly signature: Digest | undefined;
  }> {
    const bundle = aBundle(aManifest(packId, version));
    const made = aPackArtifact(bundle);
    const text = JSON.stringify({ ...(JSON.parse(made.bytes.toString()) as object), annotations: { 'org.example.note': note } }, null, 1);
    const manifest = ociBlob(text);
    await this.push({ ...manifest, blobs: made.blobs }, version.replace('+', '_'));
    const signature = key && (await this.push(aSignatureOf(manifest, key)));
    return { bundle, manifest, signature };
  }

  /** A referrer with one layer, as `oras attach` makes it. */
  attach(subject: OciBlob, content: Buffer, layerType = 'text/spdx'): Promise<Digest> {
    const [config, layer] = [ociBlob(EMPTY_JSON), ociBlob(content)];
    const describe = (mediaType: string, { bytes, digest }: OciBlob) => ({ mediaType, digest, size: bytes.length });
    const manifest = {
      ...{ schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: layerType, config: describe(MEDIA_TYPES.ociEmpty, config) },
      layers: [describe(layerType, layer)],
      subject: describe(OCI_MANIFEST, subject),
    };
    return this.push({ ...ociBlob(JSON.stringify(manifest)), blobs: [config, layer] });
  }

  /** As cosign 2 signs: under a tag made from the digest. */
  async cosign(digest: string, key: SigningKey): Promise<{ readonly tag: string; readonly digest: Digest }> {
    const about = { identity: { 'docker-reference': 'hello' }, image: { 'docker-manifest-digest': digest } };
    const payload = ociBlob(JSON.stringify({ critical: { ...about, type: 'cosign container image signature' }, optional: null }));
    const config = ociBlob('{"cosign":2}');
    const layer = { mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json', digest: payload.digest, size: payload.bytes.length };
    const annotations = { 'dev.cosignproject.cosign/signature': key.raw(payload.bytes).content.toString('base64') };
    const manifest = {
      ...{ schemaVersion: 2, mediaType: OCI_MANIFEST },
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.bytes.length },
      layers: [{ ...layer, annotations }],
    };
    const tag = `${digest.replace(':', '-')}.sig`;
    return { tag, digest: await this.push({ ...ociBlob(JSON.stringify(manifest)), blobs: [config, payload] }, tag) };
  }

  /** An index of images, under a tag. */
  async index(images: readonly OciArtifact[], tag: string): Promise<OciBlob> {
    for (const image of images) await this.push(image);
    const manifests = images.map(({ bytes, digest }) => ({ mediaType: OCI_MANIFEST, digest, size: bytes.length }));
    const index = ociBlob(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }));
    await this.push({ ...index, blobs: [] }, tag, MEDIA_TYPES.ociIndex);
    return index;
  }

  private blob({ bytes }: OciBlob): Promise<void> {
    return this.repository.writeBlob({ digest: sha256(bytes), size: bytes.length }, once(bytes));
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
