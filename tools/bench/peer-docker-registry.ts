import { EMPTY_JSON, MEDIA_TYPES, sha256, type Digest } from '@packs/domain';
import type { HttpClient } from './http-client';
import { DOCKER_REGISTRY, PeerRegistry } from './oci/peer-registry';
import type { SignedPack } from './signed-packs';

const REPOSITORY = 'bench/packs';
const EMPTY_CONFIG = { mediaType: MEDIA_TYPES.ociEmpty, digest: sha256(EMPTY_JSON), size: EMPTY_JSON.length };
const OCTETS = { 'content-type': 'application/octet-stream' };

/** Unsigned pushes to Debian's docker-registry (Distribution 2.8), beside which signed publishes are measured. */
export class DockerRegistry {
  private constructor(
    private readonly peer: PeerRegistry,
    private readonly url: string,
  ) {}

  /** Its version, or undefined when it is not installed. */
  static version(): string | undefined {
    return PeerRegistry.isInstalled(DOCKER_REGISTRY) ? PeerRegistry.versionOf(DOCKER_REGISTRY) : undefined;
  }

  static async start(folder: string): Promise<DockerRegistry> {
    const peer = await PeerRegistry.start(DOCKER_REGISTRY, folder);
    const { url } = await peer.reach();
    return new DockerRegistry(peer, url);
  }

  get pid(): number {
    return this.peer.pid;
  }

  stop(): Promise<void> {
    return this.peer.stop();
  }

  /** The empty config every manifest names. */
  async prepare(client: HttpClient): Promise<void> {
    await this.upload(client, EMPTY_JSON, EMPTY_CONFIG.digest);
  }

  /** One unsigned push: the upload's start, the bytes in one piece, the manifest under a tag. */
  async push(client: HttpClient, { packId, version, bundle, digest }: SignedPack): Promise<void> {
    await this.upload(client, bundle, digest);
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: MEDIA_TYPES.pack,
      config: EMPTY_CONFIG,
      layers: [{ mediaType: MEDIA_TYPES.packBundle, digest, size: bundle.length }],
    };
    const body = Buffer.from(JSON.stringify(manifest));
    const url = `${this.url}/v2/${REPOSITORY}/manifests/${packId}-${version}`;
    const { headers } = await client.call({ method: 'PUT', url, headers: { 'content-type': MEDIA_TYPES.ociManifest }, body }, 201);
    if (headers['docker-content-digest'] !== sha256(body)) throw new Error(`docker-registry stored another manifest than was sent`);
  }

  private async upload(client: HttpClient, bytes: Buffer, digest: Digest): Promise<void> {
    const started = await client.call({ method: 'POST', url: `${this.url}/v2/${REPOSITORY}/blobs/uploads/` }, 202);
    const url = new URL(started.headers.location ?? '', this.url);
    url.searchParams.set('digest', digest);
    await client.call({ method: 'PUT', url: url.href, headers: OCTETS, body: bytes }, 201);
  }
}
