import type { Answer, Caller, Request } from './caller';
import { digestOf } from './pack-bundle';

/** What a request is about, as far as the answer to it binds the registry. */
export type Act =
  /** A step of an upload: it says nothing of what is there afterwards. */
  | { readonly act: 'step' }
  | { readonly act: 'push-blob'; readonly repository: string; readonly digest: string }
  | PushedManifest
  | { readonly act: 'delete-manifest'; readonly repository: string; readonly digest: string }
  | { readonly act: 'delete-tag'; readonly repository: string; readonly tag: string }
  | { readonly act: 'read-blob'; readonly repository: string; readonly digest: string }
  | { readonly act: 'read-manifest'; readonly repository: string; readonly digest: string }
  | { readonly act: 'read-tag'; readonly repository: string; readonly tag: string };

export interface PushedManifest {
  readonly act: 'push-manifest';
  readonly repository: string;
  readonly digest: string;
  /** The one it is pushed under; null: its digest alone. */
  readonly tag: string | null;
  /** Blobs it cannot be without. */
  readonly needs: readonly string[];
  /** Of a pack. */
  readonly version?: string;
  /** The manifest that it signs, with a key its owner trusts. */
  readonly signs?: string;
}

/** A writer owns the tenant; a reader of it may not push; with a partner its packs are shared, with a stranger nothing. */
export type Standing = 'writer' | 'reader' | 'partner' | 'stranger';

/** One request and its answer, as the client saw them. */
export interface Exchange {
  readonly client: string;
  readonly standing: Standing;
  readonly about: Act;
  readonly began: number;
  /** Infinity: it was never answered. */
  ended: number;
  /** null: no answer came, or none that was whole. */
  status: number | null;
  code: string | null;
  /** Digest that the answer named. */
  told: string | null;
  /** Digest of the bytes that came. */
  read: string | null;
  /** Of a pack's version. */
  state: string | null;
}

const REQUEST_MS = 30_000;

/** Somebody who writes down what was asked and what was answered: the only witness the checker believes. */
export class LoggingCaller {
  /** Requests that may yet be answered. */
  inFlight = 0;

  constructor(
    readonly name: string,
    readonly standing: Standing,
    private readonly caller: Caller,
    readonly log: Exchange[],
    private readonly patienceMs = REQUEST_MS,
  ) {}

  async ask(about: Act, method: string, path: string, request: Request = {}): Promise<Answer | undefined> {
    const entry: Exchange = {
      ...{ client: this.name, standing: this.standing, about, began: performance.now(), ended: Infinity },
      ...{ status: null, code: null, told: null, read: null, state: null },
    };
    this.log.push(entry);
    this.inFlight += 1;
    try {
      const answer = await this.caller.send(method, path, { ...request, signal: AbortSignal.timeout(this.patienceMs) });
      const { errors } = (answer.body ?? {}) as { readonly errors?: readonly { readonly code: string }[] };
      entry.code = answer.status < 400 ? null : (errors?.[0]?.code ?? null);
      entry.told = answer.headers.get('docker-content-digest');
      entry.read = method === 'GET' ? digestOf(answer.bytes) : null;
      entry.state = answer.headers.get('stella-pack-state');
      entry.status = answer.status;
      entry.ended = performance.now();
      return answer;
    } catch {
      return undefined;
    } finally {
      this.inFlight -= 1;
    }
  }

  readBlob(namespace: string, repository: string, digest: string): Promise<Answer | undefined> {
    return this.ask({ act: 'read-blob', repository, digest }, 'GET', `/v2/${namespace}/${repository}/blobs/${digest}`);
  }

  readManifest(namespace: string, repository: string, digest: string): Promise<Answer | undefined> {
    return this.ask({ act: 'read-manifest', repository, digest }, 'GET', `/v2/${namespace}/${repository}/manifests/${digest}`);
  }

  readTag(namespace: string, repository: string, tag: string): Promise<Answer | undefined> {
    return this.ask({ act: 'read-tag', repository, tag }, 'GET', `/v2/${namespace}/${repository}/manifests/${tag}`);
  }
}
