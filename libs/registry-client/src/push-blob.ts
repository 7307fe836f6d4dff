import { createHash } from 'node:crypto';
import { digestAlgorithm, DomainError } from '@packs/domain';
import type { RemoteBlob, WriteBlobOptions } from '@packs/ports';
import type { AccessScope } from './authorizer';
import type { HttpAnswer } from './guarded-http';
import type { RegistryCalls } from './registry-calls';
import { Transient } from './registry-faults';
import { inPieces } from './source-pieces';

const OCTETS = { 'content-type': 'application/octet-stream' };
/** A registry that wants larger pieces than this is not given any: they are held in memory. */
const PIECE_MAX = 64 * 1024 * 1024;

/** Where an upload goes on, and how much of it the registry has. */
interface Session {
  path: string;
  readonly pieceBytes: number;
}

/** One upload, in one request or in pieces; what the registry has of it is not sent again. */
export class BlobUpload {
  constructor(
    private readonly calls: RegistryCalls,
    private readonly blob: RemoteBlob,
    private readonly blobsPath: string,
    private readonly scope: AccessScope,
    private readonly signal?: AbortSignal,
  ) {}

  /** @throws DomainError ERR_PACK_CORRUPT when the source has other bytes */
  async run(source: AsyncIterable<Uint8Array>, { mountFrom, replace }: WriteBlobOptions): Promise<void> {
    if (!replace && (await this.isThere())) return;
    const hash = createHash(digestAlgorithm(this.blob.digest));
    let size = 0;
    const proven = (): void => {
      if (size === this.blob.size && `${digestAlgorithm(this.blob.digest)}:${hash.digest('hex')}` === this.blob.digest) return;
      throw new DomainError('ERR_PACK_CORRUPT', `the bytes read for ${this.blob.digest} are others`, {
        details: { digest: this.blob.digest },
      });
    };
    const counted = (piece: Buffer): void => {
      hash.update(piece);
      size += piece.length;
      if (size > this.blob.size) proven();
    };
    let session = await this.start(mountFrom);
    if (!session) return;
    try {
      let at = 0;
      for await (const piece of inPieces(source, session.pieceBytes)) {
        this.signal?.throwIfAborted();
        counted(piece);
        if (at === 0 && size === this.blob.size) {
          proven();
          return await this.sendWhole(session, piece);
        }
        session = await this.sendPiece(session, piece, at);
        at += piece.length;
      }
      proven();
      await this.finish(session, Buffer.alloc(0));
    } catch (error) {
      await this.cancel(session);
      throw error;
    }
  }

  private async isThere(): Promise<boolean> {
    const path = `${this.blobsPath}/${this.blob.digest}`;
    const { status } = await this.calls.ask({ method: 'HEAD', path, scope: this.scope, expect: [200, 404], signal: this.signal });
    return status === 200;
  }

  /** A new upload; undefined: the registry had the blob in the other repository. */
  private async start(mountFrom?: string): Promise<Session | undefined> {
    const mount = mountFrom === undefined ? '' : `?${new URLSearchParams({ mount: this.blob.digest, from: mountFrom }).toString()}`;
    const path = `${this.blobsPath}/uploads/`;
    const answer = await this.calls.ask({
      method: 'POST',
      path: `${path}${mount}`,
      scope: this.scope,
      expect: [201, 202],
      signal: this.signal,
    });
    if (answer.status === 201 && mountFrom !== undefined) return undefined;
    const least = Number(answer.headers['oci-chunk-min-length'] ?? 0);
    if (least > PIECE_MAX) throw this.calls.fault('ERR_REGISTRY_REFUSED', `it wants pieces of at least ${least} bytes`);
    return { path: this.nextPath(answer, path), pieceBytes: Math.max(this.calls.settings.pieceBytes, least || 0) };
  }

  private nextPath({ headers }: HttpAnswer, before: string): string {
    return headers.location === undefined ? before : this.calls.pathOf(headers.location, before);
  }

  /** The whole blob in one request, as often as it takes. */
  private async sendWhole(first: Session, bytes: Buffer): Promise<void> {
    let session: Session | undefined = first;
    await this.calls.retrying(this.signal, async () => {
      session ??= await this.start();
      if (!session) return;
      const { path } = session;
      session = undefined;
      await this.put(path, bytes);
    });
  }

  /** Sends a piece that begins at `start` of the blob. After a failure the registry is asked how much of it has arrived. */
  private async sendPiece(session: Session, piece: Buffer, start: number): Promise<Session> {
    let { path } = session;
    let from = start;
    let isKnown = true;
    await this.calls.retrying(this.signal, async () => {
      if (!isKnown) ({ path, from } = await this.whereItStands(path, start, piece.length));
      while (from < start + piece.length) {
        isKnown = false;
        const body = piece.subarray(from - start);
        const headers = { ...OCTETS, 'content-range': `${from}-${from + body.length - 1}` };
        const answer = await this.calls.ask({
          method: 'PATCH',
          path,
          scope: this.scope,
          headers,
          body,
          expect: [202, 204, 416],
          once: true,
          signal: this.signal,
        });
        if (answer.status === 416) throw new Transient('an upload goes on at another place');
        path = this.nextPath(answer, path);
        from = this.within(endOf(answer) ?? from + body.length, start, piece.length);
        isKnown = true;
      }
    });
    return { ...session, path };
  }

  private async whereItStands(path: string, start: number, length: number): Promise<{ path: string; from: number }> {
    const answer = await this.calls.ask({
      method: 'GET',
      path,
      scope: this.scope,
      expect: [204, 200, 404],
      once: true,
      signal: this.signal,
    });
    if (answer.status !== 404) {
      const end = endOf(answer) ?? 0;
      // 0-0 is one byte, and is what some registries say of none (distribution 2.8).
      if (end > 1) return { path: this.nextPath(answer, path), from: this.within(end, start, length) };
    }
    if (start > 0) throw this.lost();
    const again = await this.start();
    if (!again) throw this.lost();
    return { path: again.path, from: 0 };
  }

  /** Bytes the registry said it had and has no more, or has and was not sent, cannot be made up for. */
  private within(end: number, start: number, length: number): number {
    if (end < start || end > start + length) throw this.lost();
    return end;
  }

  private lost(): Error {
    return this.calls.unavailable(new Transient('it lost what it had of an upload'));
  }

  /** The registry may have finished although its answer did not arrive. */
  private async finish({ path }: Session, bytes: Buffer): Promise<void> {
    let isFirst = true;
    await this.calls.retrying(this.signal, async () => {
      if (!isFirst && (await this.isThere())) return;
      isFirst = false;
      await this.put(path, bytes);
    });
  }

  private async put(path: string, body: Buffer): Promise<void> {
    const target = `${path}${path.includes('?') ? '&' : '?'}digest=${encodeURIComponent(this.blob.digest)}`;
    const { headers } = await this.calls.ask({
      method: 'PUT',
      path: target,
      scope: this.scope,
      headers: OCTETS,
      body,
      expect: [201, 204],
      once: true,
      signal: this.signal,
    });
    const stored = headers['docker-content-digest'];
    if (stored !== undefined && stored !== this.blob.digest)
      throw this.calls.fault('ERR_REGISTRY_CORRUPT', `it stored ${this.blob.digest} under another digest`);
  }

  /** What it costs to leave it is the registry's own: it sweeps uploads that nobody goes on with. */
  private async cancel({ path }: Session): Promise<void> {
    await this.calls.ask({ method: 'DELETE', path, scope: this.scope, expect: [204, 202, 404], once: true }).catch(() => undefined);
  }
}

/** Bytes the registry has, by the `Range` of its answer: `0-<last>`. */
function endOf({ headers }: HttpAnswer): number | undefined {
  const range = headers['range'];
  const last = /^(?:bytes=)?0-(\d+)$/.exec(typeof range === 'string' ? range : '')?.[1];
  return last === undefined ? undefined : Number(last) + 1;
}
