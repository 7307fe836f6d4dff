import { DomainError, isDigest, type Digest } from '@packs/domain';

export interface ArtifactReference {
  readonly host: string;
  readonly repository: string;
  /** A digest where one is given; a tag beside it says nothing more. */
  readonly manifest: Digest | string;
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** @throws DomainError ERR_PACK_REQUEST_INVALID naming `reference` */
export function parseArtifactReference(text: string): ArtifactReference {
  const [named = '', digest, ...more] = text.split('@');
  const [host = '', ...path] = named.split('/');
  const [, repository = '', tag] = /^([^:]*)(?::(.*))?$/.exec(path.join('/')) ?? [];
  const manifest = digest ?? tag;
  const isWhole = HOST.test(host) && repository !== '' && more.length === 0 && (tag === undefined || TAG.test(tag));
  if (isWhole && manifest !== undefined && (digest === undefined || isDigest(digest))) return { host, repository, manifest };
  throw invalidReference('must be <host>/<repository> with :<tag> or @sha256:<digest>');
}

export function invalidReference(message: string): DomainError {
  return new DomainError('ERR_PACK_REQUEST_INVALID', `reference ${message}`, { errors: [{ field: 'reference', message }] });
}
