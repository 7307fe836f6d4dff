import { DomainError } from '@packs/domain';
import { ClientCredentials } from '@packs/ports';
import { discover } from './discovery';

const ANSWER_MAX_BYTES = 64 * 1024;

/** Asks the Authority's token endpoint, which its discovery document names. */
export class OidcClientCredentials extends ClientCredentials {
  private endpoint: Promise<URL> | undefined;

  constructor(private readonly issuer: string) {
    super();
  }

  async exchange(clientId: string, secret: string): Promise<string> {
    const answer = await this.ask(await this.tokenEndpoint(), clientId, secret);
    if (answer.status === 200 && typeof answer.body.access_token === 'string') return answer.body.access_token;
    // RFC 6749 §5.2: everything that is wrong with the client or its grant.
    if (answer.status === 400 || answer.status === 401) {
      throw new DomainError('ERR_PACK_AUTHENTICATION', 'the credentials are not accepted');
    }
    throw unavailable(new Error(`the token endpoint answered ${answer.status}`));
  }

  private async ask(endpoint: URL, clientId: string, secret: string): Promise<{ status: number; body: { access_token?: unknown } }> {
    // RFC 6749 §2.3.1: both are form-encoded before they become a Basic header.
    const basic = Buffer.from(`${formEncoded(clientId)}:${formEncoded(secret)}`).toString('base64');
    try {
      const answer = await fetch(endpoint, {
        method: 'POST',
        headers: { authorization: `Basic ${basic}`, accept: 'application/json' },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
        redirect: 'error',
        signal: AbortSignal.timeout(5_000),
      });
      const text = await answer.text();
      const body: unknown = answer.ok && text.length <= ANSWER_MAX_BYTES ? JSON.parse(text) : {};
      return { status: answer.status, body: typeof body === 'object' && body !== null ? body : {} };
    } catch (error) {
      throw unavailable(error);
    }
  }

  private tokenEndpoint(): Promise<URL> {
    this.endpoint ??= this.findEndpoint().catch((error: unknown) => {
      this.endpoint = undefined;
      throw unavailable(error);
    });
    return this.endpoint;
  }

  private async findEndpoint(): Promise<URL> {
    const { tokenEndpoint } = await discover(this.issuer);
    if (tokenEndpoint?.protocol === 'https:' || tokenEndpoint?.protocol === 'http:') return tokenEndpoint;
    throw new Error(`${this.issuer} names no token endpoint`);
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

function unavailable(cause: unknown): DomainError {
  return new DomainError('ERR_PACK_UNAVAILABLE', 'the Authority cannot be asked for a token', { retry: 'later', cause });
}
