import { DomainError, parseRepositoryName, type RepositoryName } from '@packs/domain';

/** What a path below `/v2/` names (distribution-spec "Endpoints"). Texts are as the client sent them, percent-decoded. */
export type OciPath =
  | { readonly kind: 'base' | 'catalog' }
  | { readonly kind: 'manifest' | 'blob' | 'referrers' | 'upload'; readonly name: RepositoryName; readonly reference: string }
  | { readonly kind: 'uploads' | 'tags'; readonly name: RepositoryName };
export type OciPathKind = OciPath['kind'];

const ONE_REFERENCE: Readonly<Record<string, 'manifest' | 'blob' | 'referrers'>> = {
  manifests: 'manifest',
  blobs: 'blob',
  referrers: 'referrers',
};

/**
 * Reads a path from its end, because a repository's name may hold the words the endpoints are made of.
 * @param path without query
 * @throws DomainError ERR_OCI_NAME_INVALID; ERR_PACK_NOT_FOUND when no endpoint is meant
 */
export function parseOciPath(path: string): OciPath {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const rest = path.slice('/v2/'.length);
  const last = rest.lastIndexOf('/');
  const before = rest.lastIndexOf('/', last - 1);
  const [word, reference] = [rest.slice(before + 1, last), rest.slice(last + 1)];
  const head = rest.slice(0, Math.max(0, before));
  // With and without the slash at the end that the specification shows.
  if (rest.endsWith('/blobs/uploads')) return { kind: 'uploads', name: nameOf(rest.slice(0, -'/blobs/uploads'.length)) };
  if (word === 'uploads' && head.endsWith('/blobs')) {
    const name = nameOf(head.slice(0, -'/blobs'.length));
    return reference === '' ? { kind: 'uploads', name } : { kind: 'upload', name, reference: decoded(reference) };
  }
  if (word === 'tags' && reference === 'list') return { kind: 'tags', name: nameOf(head) };
  const kind = ONE_REFERENCE[word];
  if (kind && reference !== '') return { kind, name: nameOf(head), reference: decoded(reference) };
  throw new DomainError('ERR_PACK_NOT_FOUND', 'no such endpoint');
}

function nameOf(text: string): RepositoryName {
  return parseRepositoryName(decoded(text));
}

function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new DomainError('ERR_OCI_NAME_INVALID', 'the path is not percent-encoded as RFC 3986 has it', {
      errors: [{ field: 'name', message: 'is not percent-encoded text' }],
    });
  }
}
