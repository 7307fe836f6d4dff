import { DomainError, type Principal } from '@packs/domain';
import {
  ClientCredentials,
  NamespacePolicies,
  ProofVerifier,
  RegistryTokens,
  TokenVerifier,
  UsedProofs,
  type NamespacePolicy,
  type Proof,
  type ProvenRequest,
  type RegistryToken,
} from '@packs/ports';

const refusal = (message: string): DomainError => new DomainError('ERR_PACK_AUTHENTICATION', message);

/** Knows the tokens a spec tells it. */
export class KnownTokens extends TokenVerifier {
  readonly principals = new Map<string, Principal>();
  verified = 0;

  async verify(token: string): Promise<Principal> {
    this.verified += 1;
    const principal = this.principals.get(token);
    if (!principal) throw refusal('the token is not valid');
    return principal;
  }

  async check(): Promise<void> {}
}

/** Tokens in clear, `own-` and a number. */
export class ClearTokens extends RegistryTokens {
  readonly issued: RegistryToken[] = [];
  verified = 0;

  async issue(token: RegistryToken): Promise<string> {
    return `own-${this.issued.push(token) - 1}`;
  }

  claims(token: string): boolean {
    return token.startsWith('own-');
  }

  async verify(token: string): Promise<RegistryToken> {
    this.verified += 1;
    const found = this.issued[Number(token.slice('own-'.length))];
    if (!found) throw refusal('the token is not valid');
    return found;
  }
}

/** A proof is `<key> <id> <method> <url> [<token>]`. */
export class ClearProofs extends ProofVerifier {
  async verify(proof: string, { method, url, accessToken }: ProvenRequest): Promise<Proof> {
    const [keyThumbprint = '', id = '', ...request] = proof.split(' ');
    if (request.join(' ') !== [method, url, accessToken].filter(Boolean).join(' ')) throw refusal('the DPoP proof is for another request');
    return { keyThumbprint, id };
  }
}

export class RememberedProofs extends UsedProofs {
  private readonly used = new Set<string>();

  async use(id: string): Promise<boolean> {
    return this.used.size < this.used.add(id).size;
  }

  async sweep(): Promise<number> {
    return 0;
  }
}

export class KnownClients extends ClientCredentials {
  readonly secrets = new Map<string, { readonly secret: string; readonly token: string }>();
  failure: DomainError | undefined;
  asked = 0;

  async exchange(clientId: string, secret: string): Promise<string> {
    this.asked += 1;
    if (this.failure) throw this.failure;
    const client = this.secrets.get(clientId);
    if (client?.secret !== secret) throw refusal(`no client ${clientId}`);
    return client.token;
  }
}

export class KnownNamespaces extends NamespacePolicies {
  readonly open = new Set<string>();
  readonly asked: string[] = [];

  async of(namespace: string): Promise<NamespacePolicy> {
    this.asked.push(namespace);
    return { publicRead: this.open.has(namespace), pullByDigestOnly: false };
  }

  async publicAmong(namespaces: readonly string[]): Promise<ReadonlySet<string>> {
    this.asked.push(...namespaces);
    return new Set(namespaces.filter(namespace => this.open.has(namespace)));
  }
}
