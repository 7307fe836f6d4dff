import type { webcrypto } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from 'jose';

const DISCOVERY = '/.well-known/openid-configuration';

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: webcrypto.CryptoKey;
  readonly jwk: JWK;
}

export async function aKey(kid: string, alg = 'RS256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** An issuer on loopback: discovery and keys, both of which a spec may change or break. */
export class LocalAuthority {
  keys: JWK[] = [];
  /** Answers 500 for paths that begin like this. */
  broken: string | undefined;
  /** Sends those who ask for the discovery document elsewhere. */
  movedTo: string | undefined;
  /** Replaces members of the discovery document. */
  discovery: Readonly<Record<string, unknown>> = {};
  readonly requests: string[] = [];

  private constructor(
    private readonly server: Server,
    readonly issuer: string,
  ) {}

  static async start(): Promise<LocalAuthority> {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const authority = new LocalAuthority(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', ({ url = '' }, answer) => {
      authority.requests.push(url);
      if (authority.movedTo && url === DISCOVERY) return void answer.writeHead(302, { location: authority.movedTo }).end();
      answer.writeHead(authority.broken && url.startsWith(authority.broken) ? 500 : 200, { 'content-type': 'application/json' });
      answer.end(JSON.stringify(url === '/jwks' ? { keys: authority.keys } : authority.document()));
    });
    return authority;
  }

  private document(): object {
    return { issuer: this.issuer, jwks_uri: `${this.issuer}/jwks`, ...this.discovery };
  }

  /** A token for `packs-registry` that is good for an hour, with the changes given; undefined takes a claim away. */
  token(key: SigningKey, changes: JWTPayload = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const claims: JWTPayload = {
      iss: this.issuer,
      aud: 'packs-registry',
      sub: 'alice',
      client_id: 'stella-cli',
      iat: now,
      exp: now + 3600,
      scope: 'openid packs.read packs.write',
      tenant: 'acme',
      ...changes,
    };
    return new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid }).sign(key.privateKey);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }
}
