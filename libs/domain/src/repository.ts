import type { Digest } from './digest';
import { isContentDigest } from './digest';
import { DomainError } from './domain-error';
import { isName, TENANT_MAX } from './identifiers';

/** distribution-spec "Pulling manifests": the grammar of <name> behind the namespace, and of a tag. */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const REFERRER_TAG = /^(sha256|sha512)-([0-9a-f]+)(?:\.(sig|att|sbom))?$/;

export const REPOSITORY_PATTERN = REPOSITORY.source;
export const TAG_PATTERN = TAG.source;
/** Of the whole name, namespace included, as clients limit it. */
export const REPOSITORY_NAME_MAX = 255;

/** `<namespace>/<repository>`: the owner tenant, and the rest of an OCI repository name. */
export interface RepositoryName {
  readonly namespace: string;
  readonly repository: string;
}

/** What kind of content a repository takes, settled by its first manifest. */
export type RepositoryKind = 'pack' | 'generic';

/** @throws DomainError ERR_OCI_NAME_INVALID */
export function parseRepositoryName(name: string): RepositoryName {
  const slash = name.indexOf('/');
  const [namespace, repository] = [name.slice(0, slash), name.slice(slash + 1)];
  if (slash > 0 && name.length <= REPOSITORY_NAME_MAX && isName(namespace, TENANT_MAX) && REPOSITORY.test(repository)) {
    return { namespace, repository };
  }
  throw new DomainError('ERR_OCI_NAME_INVALID', 'a repository is named <namespace>/<name>, in lower case, with at most 255 characters', {
    errors: [{ field: 'name', message: 'is not <namespace>/<name>' }],
  });
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** A tag or a digest. @throws DomainError ERR_OCI_REFERENCE_INVALID, ERR_PACK_DIGEST_INVALID */
export function parseReference(text: string): { readonly tag: string } | { readonly digest: Digest } {
  if (isContentDigest(text)) return { digest: text };
  if (TAG.test(text)) return { tag: text };
  const isDigest = text.includes(':');
  throw new DomainError(
    isDigest ? 'ERR_PACK_DIGEST_INVALID' : 'ERR_OCI_REFERENCE_INVALID',
    isDigest ? 'the reference is not a sha256 or sha512 digest' : 'a tag has 1 to 128 of a-z A-Z 0-9 _ . - and begins with none of . -',
    { errors: [{ field: 'reference', message: isDigest ? 'not a digest' : 'not a tag' }] },
  );
}

/**
 * The manifest that a tag made from a digest is about: cosign's `sha256-<hex>.sig`, `.att`, `.sbom`, or the referrers tag schema without suffix
 * (distribution-spec "Referrers Tag Schema").
 */
export function referrerTag(tag: string): { readonly subject: Digest; readonly suffix: 'sig' | 'att' | 'sbom' | null } | undefined {
  const match = REFERRER_TAG.exec(tag);
  const subject = match && `${match[1] as 'sha256'}:${match[2] ?? ''}`;
  return subject && isContentDigest(subject) ? { subject, suffix: (match[3] ?? null) as 'sig' | null } : undefined;
}
