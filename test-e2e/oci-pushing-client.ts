import { setTimeout as delay } from 'node:timers/promises';
import { OCI_MANIFEST, type OciArtifact, type OciBlob } from './oci-content';
import type { LoggingCaller, PushedManifest } from './oci-log';

const RETRY_MS = 100;
/** Longer than any process is away. */
const ATTEMPTS = 400;

type More = Pick<PushedManifest, 'version' | 'signs'>;

/** Pushes as real clients do: a broken upload goes on where the registry says it stands, and what fails is pushed again. */
export class OciPushingClient {
  /** One attempt in place of many: whether it had an effect is for the checker to find out. */
  patient = true;

  constructor(
    readonly as: LoggingCaller,
    readonly namespace: string,
  ) {}

  /** @returns whether all of it was acknowledged */
  async push(repository: string, artifact: OciArtifact, tag: string | null, more: More = {}, chunk = Infinity): Promise<boolean> {
    for (const blob of artifact.blobs) if (!(await this.pushBlob(repository, blob, chunk))) return false;
    return this.pushManifest(repository, artifact, tag, more);
  }

  pushManifest(repository: string, { bytes, digest, blobs }: OciArtifact, tag: string | null, more: More = {}): Promise<boolean> {
    const needs = blobs.map(blob => blob.digest);
    return this.until(201, () =>
      this.as.ask(
        { act: 'push-manifest', repository, digest, tag, needs, ...more },
        'PUT',
        this.path(repository, `manifests/${tag ?? digest}`),
        {
          headers: { 'content-type': OCI_MANIFEST },
          body: bytes,
        },
      ),
    );
  }

  pushBlob(repository: string, blob: OciBlob, chunk = Infinity): Promise<boolean> {
    if (blob.bytes.length > chunk) return this.pushInChunks(repository, blob, chunk);
    const query = { digest: blob.digest };
    return this.until(201, () =>
      this.as.ask({ act: 'push-blob', repository, digest: blob.digest }, 'POST', this.path(repository, 'blobs/uploads/'), {
        query,
        body: blob.bytes,
      }),
    );
  }

  deleteTag(repository: string, tag: string): Promise<boolean> {
    return this.until(202, () => this.as.ask({ act: 'delete-tag', repository, tag }, 'DELETE', this.path(repository, `manifests/${tag}`)));
  }

  deleteManifest(repository: string, digest: string): Promise<boolean> {
    return this.until(202, () =>
      this.as.ask({ act: 'delete-manifest', repository, digest }, 'DELETE', this.path(repository, `manifests/${digest}`)),
    );
  }

  private async pushInChunks(repository: string, blob: OciBlob, chunk: number): Promise<boolean> {
    let location = '';
    let offset: number | undefined;
    for (let failures = 0; failures < this.attempts;) {
      if (offset === undefined) {
        const begun = await this.as.ask({ act: 'step' }, 'POST', this.path(repository, 'blobs/uploads/'));
        if (begun?.status === 202) [location, offset] = [begun.headers.get('location') ?? '', 0];
      } else if (offset < blob.bytes.length) {
        const end = Math.min(offset + chunk, blob.bytes.length);
        offset = (await this.sendChunk(location, blob.bytes.subarray(offset, end), offset)) ?? (await this.standing(location));
      } else {
        const about = { act: 'push-blob', repository, digest: blob.digest } as const;
        const finished = await this.as.ask(about, 'PUT', location, { query: { digest: blob.digest } });
        if (finished?.status === 201) return true;
        offset = await this.standing(location);
      }
      // Wherever it stands, the client goes on from there; it loses patience only with a registry that gets nowhere.
      if (offset === undefined || offset === 0) failures += 1;
      if (offset === undefined) await delay(RETRY_MS);
    }
    return false;
  }

  /** @returns where the upload stands then; undefined when it failed */
  private async sendChunk(location: string, bytes: Buffer, from: number): Promise<number | undefined> {
    const headers = { 'content-range': `${from}-${from + bytes.length - 1}` };
    const sent = await this.as.ask({ act: 'step' }, 'PATCH', location, { headers, body: bytes });
    return sent?.status === 202 ? from + bytes.length : undefined;
  }

  /** What the registry has of an upload; undefined when it has to be begun again. */
  private async standing(location: string): Promise<number | undefined> {
    for (let attempt = 0; attempt < this.attempts; attempt++) {
      await delay(RETRY_MS);
      const answer = await this.as.ask({ act: 'step' }, 'GET', location);
      if (answer?.status === 404) return undefined;
      const last = Number(answer?.headers.get('range')?.replace('0-', ''));
      if (answer?.status === 204) return last === 0 ? 0 : last + 1;
    }
    return undefined;
  }

  private get attempts(): number {
    return this.patient ? ATTEMPTS : 1;
  }

  private async until(status: number, attempt: () => Promise<{ readonly status: number } | undefined>): Promise<boolean> {
    for (let left = this.attempts; left > 0; left--) {
      const answer = await attempt();
      if (answer?.status === status) return true;
      // A refusal stays one; what was to be deleted and is not there was deleted by an attempt that was not answered.
      if (answer && answer.status < 500) return answer.status === 404 && status === 202;
      if (left > 1) await delay(RETRY_MS);
    }
    return false;
  }

  private path(repository: string, rest: string): string {
    return `/v2/${this.namespace}/${repository}/${rest}`;
  }
}
