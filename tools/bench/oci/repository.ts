import { MEDIA_TYPES, type Digest } from '@packs/domain';
import type { Connection } from './connection';
import { EMPTY_BLOB, slice, type Blob, type Manifest } from './content';

const OCTETS = { 'Content-Type': 'application/octet-stream' };
const MANIFEST = { 'Content-Type': MEDIA_TYPES.ociManifest };
const ACCEPT = { Accept: MEDIA_TYPES.ociManifest };

/** What an OCI client does with one repository of any registry. */
export class Repository {
  constructor(readonly name: string) {}

  /** The empty config that every manifest of the bench names. */
  async prepare(connection: Connection): Promise<void> {
    await this.pushWhole(connection, EMPTY_BLOB);
  }

  /** An upload begun, and its bytes in one piece. */
  async pushWhole(connection: Connection, { parts, digest }: Blob): Promise<void> {
    const location = await this.begin(connection);
    await connection.call({ method: 'PUT', path: withDigest(location, digest), headers: OCTETS, body: parts, keepsBody: true }, 201);
  }

  async pushChunked(connection: Connection, blob: Blob, chunkBytes: number): Promise<void> {
    let location = await this.begin(connection);
    for (let from = 0; from < blob.size; from += chunkBytes) {
      const to = Math.min(blob.size, from + chunkBytes);
      const headers = { ...OCTETS, 'Content-Range': `${from}-${to - 1}` };
      const taken = await connection.call({ method: 'PATCH', path: location, headers, body: slice(blob, from, to), keepsBody: true }, 202);
      location = pathIn(taken.headers.get('location'));
    }
    await connection.call({ method: 'PUT', path: withDigest(location, blob.digest), keepsBody: true }, 201);
  }

  async putManifest(connection: Connection, reference: string, { body, digest }: Manifest): Promise<void> {
    const path = `/v2/${this.name}/manifests/${reference}`;
    const put = await connection.call({ method: 'PUT', path, headers: MANIFEST, body: [body], keepsBody: true }, 201);
    if (put.headers.get('docker-content-digest') !== digest) throw new Error('another manifest was stored than was sent');
  }

  /** @returns its length */
  async getManifest(connection: Connection, reference: string, method: 'GET' | 'HEAD' = 'GET'): Promise<number> {
    const reply = await connection.call({ method, path: `/v2/${this.name}/manifests/${reference}`, headers: ACCEPT }, 200);
    return reply.length;
  }

  async getBlob(connection: Connection, { digest, size }: Blob): Promise<number> {
    const { length } = await connection.call({ method: 'GET', path: `/v2/${this.name}/blobs/${digest}` }, 200);
    if (length !== size) throw new Error(`a blob of ${size} bytes came with ${length}`);
    return length;
  }

  async headBlob(connection: Connection, digest: Digest, status: 200 | 404): Promise<void> {
    await connection.call({ method: 'HEAD', path: `/v2/${this.name}/blobs/${digest}` }, status);
  }

  /** @returns its length; undefined when the registry has no such list */
  async firstPage(connection: Connection, of: 'tags' | { readonly referrersOf: Digest }, n: number): Promise<string | undefined> {
    const rest = of === 'tags' ? 'tags/list' : `referrers/${of.referrersOf}`;
    const reply = await connection.call({ method: 'GET', path: `/v2/${this.name}/${rest}?n=${n}`, keepsBody: true }, 200, 404);
    return reply.status === 200 ? reply.body.toString() : undefined;
  }

  private async begin(connection: Connection): Promise<string> {
    const begun = await connection.call({ method: 'POST', path: `/v2/${this.name}/blobs/uploads/`, keepsBody: true }, 202);
    return pathIn(begun.headers.get('location'));
  }
}

/** Registries answer addresses or paths. */
function pathIn(location: string | undefined): string {
  const { pathname, search } = new URL(location ?? '', 'http://registry');
  return pathname + search;
}

function withDigest(path: string, digest: Digest): string {
  return `${path}${path.includes('?') ? '&' : '?'}digest=${digest}`;
}
