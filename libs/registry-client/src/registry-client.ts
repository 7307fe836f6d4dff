import { DomainError } from '@packs/domain';
import { RemoteRegistries, type RemoteRepository } from '@packs/ports';
import { LRUCache } from 'lru-cache';
import { Authorizer } from './authorizer';
import { GuardedHttp } from './guarded-http';
import { RegistryCalls } from './registry-calls';
import { RemoteOciRepository } from './remote-oci-repository';
import { DEFAULTS, type ClientSettings } from './settings';

const REPOSITORIES = 1_000;
const NAME_MAX = 255;
/** distribution-spec "Pulling manifests". */
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** OCI registries by HTTP: those that are allowed, and no other. */
export class RegistryClient extends RemoteRegistries {
  private readonly settings: ClientSettings;
  private readonly http: GuardedHttp;
  private readonly authorizer: Authorizer;
  /** One object for one repository: changes of its lists of referrers wait for one another there. */
  private readonly repositories = new LRUCache<string, RemoteRepository>({ max: REPOSITORIES });

  constructor(settings: Pick<ClientSettings, 'registries' | 'credentialsOf'> & Partial<ClientSettings>) {
    super();
    this.settings = { ...DEFAULTS, ...settings };
    this.http = new GuardedHttp(this.settings);
    this.authorizer = new Authorizer(this.http, this.settings);
  }

  repository(host: string, name: string): RemoteRepository {
    if (name.length > NAME_MAX || !NAME.test(name)) {
      throw new DomainError('ERR_PACK_REQUEST_INVALID', 'a repository name is lower-case names joined by /', {
        errors: [{ field: 'repository', message: `${JSON.stringify(name)} is no repository name` }],
      });
    }
    const key = `${host}/${name}`;
    const known = this.repositories.get(key);
    if (known) return known;
    const repository = new RemoteOciRepository(this.callsTo(host), name);
    this.repositories.set(key, repository);
    return repository;
  }

  async check(host: string, signal?: AbortSignal): Promise<void> {
    await this.callsTo(host).ask({ method: 'GET', path: '/v2/', scope: undefined, expect: [200], signal });
  }

  private callsTo(host: string): RegistryCalls {
    return new RegistryCalls(host, this.http.baseOf(host), this.http, this.authorizer, this.settings);
  }
}
