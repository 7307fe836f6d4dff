import { LRUCache } from 'lru-cache';
import { parseChallenge, type Challenge } from './challenge';
import { readAnswer, type GuardedHttp, type HttpQuestion } from './guarded-http';
import { isTransientStatus, refusal, registryFault, retryAfterMs, Transient } from './registry-faults';
import type { ClientSettings, RegistryCredential } from './settings';

/** What is to be done, as the token protocol names it: `repository:<name>:pull,push`; undefined: see whether anybody is let in. */
export type AccessScope = string | undefined;

/** A request that was answered with 401. */
interface Refused {
  readonly host: string;
  /** Its `WWW-Authenticate`. */
  readonly header: string | undefined;
  readonly scope: AccessScope;
  /** The authorization it had. */
  readonly sent: string | undefined;
}

const TOKENS = 2_000;
const ANSWER_MAX = 256 * 1024;
/** When an answer does not say (distribution's token protocol). */
const DEFAULT_LIFE_SECONDS = 60;
/** A token is not used so shortly before its end that it may end on the way. */
const LEEWAY_MS = 5_000;
/** The name docker gives to one who has an identity token in place of a password. */
const TOKEN_USER = '<token>';
const USABLE = /^[\x21-\x7e]{1,65536}$/;

/** Meets registries' challenges, and keeps the tokens they gave until they end. Nothing of a credential or token gets into an error. */
export class Authorizer {
  private readonly tokens = new LRUCache<string, { readonly value: string; readonly until: number }>({ max: TOKENS });
  private readonly asking = new Map<string, Promise<string>>();
  private readonly basic = new Set<string>();

  constructor(
    private readonly http: GuardedHttp,
    private readonly settings: Pick<ClientSettings, 'registries' | 'credentialsOf' | 'now'>,
  ) {}

  /** What to send without being asked; undefined: nothing is known yet. */
  async known(host: string, scope: AccessScope): Promise<string | undefined> {
    const token = this.tokens.get(keyOf(host, scope));
    if (token && token.until > this.settings.now()) return `Bearer ${token.value}`;
    return this.basic.has(host) ? this.basicOf(host) : undefined;
  }

  /**
   * Meets a challenge; undefined: we cannot.
   * @throws Transient, DomainError ERR_REGISTRY_DENIED, ERR_REGISTRY_NOT_ALLOWED
   */
  async meet({ host, header, scope, sent }: Refused, signal?: AbortSignal): Promise<string | undefined> {
    const challenge = parseChallenge(header);
    if (!challenge) return undefined;
    if (challenge.scheme === 'basic') {
      this.basic.add(host);
      return this.basicOf(host);
    }
    const known = await this.known(host, scope);
    // Another request got it while this one was on its way.
    if (known !== undefined && known !== sent) return known;
    const key = keyOf(host, scope);
    const asked = this.asking.get(key) ?? this.askOnce(key, host, challenge, scope, signal);
    return `Bearer ${await asked}`;
  }

  private askOnce(key: string, host: string, challenge: Bearer, scope: AccessScope, signal?: AbortSignal): Promise<string> {
    const asking = this.ask(host, challenge, scope, signal)
      .then(({ value, lifeMs }) => {
        this.tokens.set(key, { value, until: this.settings.now() + lifeMs - LEEWAY_MS });
        return value;
      })
      .finally(() => this.asking.delete(key));
    this.asking.set(key, asking);
    return asking;
  }

  private async ask(host: string, challenge: Bearer, scope: AccessScope, signal?: AbortSignal): Promise<{ value: string; lifeMs: number }> {
    const url = this.realmUrl(host, challenge.realm);
    if (challenge.service !== undefined) url.searchParams.set('service', challenge.service);
    const wanted = scope ?? challenge.scope;
    if (wanted !== undefined) url.searchParams.set('scope', wanted);
    const answer = await this.http.send({ ...questionOf(url, await this.settings.credentialsOf(host)), signal });
    const body = await readAnswer(answer, ANSWER_MAX, () =>
      registryFault('ERR_REGISTRY_CORRUPT', host, 'the answer of its token service is too long'),
    );
    if (isTransientStatus(answer.status))
      throw new Transient(`its token service answered with ${answer.status}`, retryAfterMs(answer.headers));
    if (answer.status === 401 || answer.status === 403) throw refusal(host, 'the request for a token', answer.status, body);
    return tokenOf(host, answer.status, body);
  }

  /** A registry may send its clients to a token service elsewhere; then that has to be among those that may be connected to. */
  private realmUrl(host: string, realm: string): URL {
    const url = URL.canParse(realm) ? new URL(realm) : undefined;
    const allowed = url && this.settings.registries.some(one => one.host === url.host && one.protocol === url.protocol);
    if (url && allowed && url.username === '' && url.password === '') return url;
    throw registryFault('ERR_REGISTRY_NOT_ALLOWED', host, 'its token service is not at a host that may be connected to');
  }

  private async basicOf(host: string): Promise<string | undefined> {
    const credential = await this.settings.credentialsOf(host);
    return credential && basicHeader(credential);
  }
}

/** With an identity token the parameters go with it in a form, so that it is in no log of addresses (OAuth2 part of the token protocol). */
function questionOf(url: URL, credential: RegistryCredential | undefined): Pick<HttpQuestion, 'method' | 'url' | 'headers' | 'body'> {
  if (credential?.username !== TOKEN_USER) {
    return { method: 'GET', url, headers: credential && { authorization: basicHeader(credential) } };
  }
  const form = new URLSearchParams(url.searchParams);
  form.set('grant_type', 'refresh_token');
  form.set('client_id', 'stellaops-packs');
  form.set('refresh_token', credential.password);
  const bare = new URL(url);
  bare.search = '';
  return {
    method: 'POST',
    url: bare,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  };
}

type Bearer = Extract<Challenge, { scheme: 'bearer' }>;

function keyOf(host: string, scope: AccessScope): string {
  return `${host} ${scope ?? ''}`;
}

function basicHeader({ username, password }: RegistryCredential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function tokenOf(host: string, status: number, body: Buffer): { value: string; lifeMs: number } {
  const parsed = parseAnswer(body);
  const value = parsed?.token ?? parsed?.access_token;
  if (status !== 200 || typeof value !== 'string' || !USABLE.test(value)) {
    throw registryFault('ERR_REGISTRY_CORRUPT', host, `its token service answered ${status} without a token`);
  }
  const seconds = typeof parsed?.expires_in === 'number' && parsed.expires_in > 0 ? parsed.expires_in : DEFAULT_LIFE_SECONDS;
  return { value, lifeMs: seconds * 1_000 };
}

function parseAnswer(body: Buffer): { readonly token?: unknown; readonly access_token?: unknown; readonly expires_in?: unknown } | null {
  try {
    return JSON.parse(body.toString('utf8')) as ReturnType<typeof parseAnswer>;
  } catch {
    // The answer may hold a token: nothing of it is told.
    return null;
  }
}
