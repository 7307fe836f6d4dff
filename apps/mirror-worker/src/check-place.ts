import { PULL_LOCATION_PATTERN, type MirrorSettings, type PullPolicy } from '@packs/contracts';
import { DomainError, isVersionRange } from '@packs/domain';
import type { MirrorTargets, RemoteRegistries } from '@packs/ports';

const LOCATION = new RegExp(PULL_LOCATION_PATTERN);

/** Whether a mirror may lie where it is to lie, and pull from there what it is to pull. */
export class CheckPlace {
  constructor(
    private readonly targets: MirrorTargets,
    private readonly sources: RemoteRegistries,
  ) {}

  /** @throws DomainError ERR_MIRROR_TARGET_INVALID, ERR_PACK_REQUEST_INVALID */
  async execute(tenant: string, settings: MirrorSettings): Promise<void> {
    const { kind, location, selection, pull } = settings;
    if (!pull) {
      await this.targets.open({ tenant, kind, location });
      return;
    }
    if (kind !== 'registry') throw invalid('kind', 'must be registry for what is pulled');
    if (Object.values(selection).some(member => member !== undefined))
      throw invalid('selection', 'says what is copied to a mirror; pull says what is brought in');
    checkPull(pull);
    for (const { repository } of pull.repositories) this.checkUpstream(location, repository);
  }

  private checkUpstream(location: string, repository: string): void {
    const [host = '', ...path] = location.split('/');
    if (!LOCATION.test(location)) throw unfit('is not <host>[:<port>], with /<path> behind it or not');
    try {
      this.sources.repository(host, [...path, repository].join('/'));
    } catch (error) {
      throw error instanceof DomainError ? unfit(error.message) : error;
    }
  }
}

function checkPull({ repositories }: PullPolicy): void {
  const names = repositories.map(({ repository, as }) => as ?? repository);
  for (const [at, { range }] of repositories.entries()) {
    const field = `pull.repositories[${at}]`;
    if (range !== undefined && !isVersionRange(range)) throw invalid(`${field}.range`, 'is no SemVer range');
    const name = names[at] ?? '';
    if (names.indexOf(name) !== at) throw invalid(`${field}.as`, `${name} takes what comes from another repository`);
  }
}

function unfit(message: string): DomainError {
  return new DomainError('ERR_MIRROR_TARGET_INVALID', `location ${message}`, { errors: [{ field: 'location', message }] });
}

function invalid(field: string, message: string): DomainError {
  return new DomainError('ERR_PACK_REQUEST_INVALID', `${field} ${message}`, { errors: [{ field, message }] });
}
