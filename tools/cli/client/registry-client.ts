import type { CliContext } from '../terminal/cli-context';
import { send } from './http';
import { problemOf } from './registry-problem';
import { openSession, type Session } from './session';

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The registry's HTTP API, with the caller's token. Answers that are no success are thrown as RegistryProblem. */
export class RegistryClient {
  constructor(private readonly session: Session) {}

  static async open(context: CliContext): Promise<RegistryClient> {
    return new RegistryClient(await openSession(context));
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.json<T>('GET', path, query);
  }

  put<T>(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    return this.withBody<T>('PUT', path, body, headers);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.withBody<T>('POST', path, body);
  }

  private withBody<T>(method: string, path: string, body: unknown, more: Readonly<Record<string, string>> = {}): Promise<T> {
    const headers = { 'content-type': 'application/json', ...more };
    return this.json<T>(method, path, {}, { body: JSON.stringify(body), headers });
  }

  async json<T>(method: string, path: string, query: Query = {}, init: RequestInit = {}): Promise<T> {
    const response = await this.request(method, path, query, init);
    return (await response.json()) as T;
  }

  /** Rows of a keyset-paginated list until there are `limit` of them. */
  async list<T>(path: string, member: string, query: Query, limit: number): Promise<T[]> {
    const rows: T[] = [];
    for (let cursor: string | undefined; ;) {
      const size = Math.min(limit - rows.length, PAGE_MAX);
      const page: { next?: string | null } & Record<string, unknown> = await this.get(path, { ...query, limit: size, cursor });
      rows.push(...(page[member] as T[]));
      if (!page.next || rows.length >= limit) return rows;
      cursor = page.next;
    }
  }

  async request(method: string, path: string, query: Query = {}, init: RequestInit = {}): Promise<Response> {
    const url = new URL(`${this.session.url}${path}`);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${this.session.token}`);
    if (!headers.has('accept')) headers.set('accept', 'application/json');
    const response = await send(url, { ...init, method, headers });
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

const PAGE_MAX = 200;

/** The path of a pack or of one of its versions. */
export function packPath(packId: string, version?: string): string {
  const pack = `/api/packs/${encodeURIComponent(packId)}`;
  return version === undefined ? pack : `${pack}/versions/${encodeURIComponent(version)}`;
}
