import { DomainError, invalidManifest, referrerTag, type Digest, type ParsedManifest } from '@packs/domain';
import type { RecordedPush } from './put-manifest';

/** The manifest that another is about. */
export interface ReferredSubject {
  readonly subject: Digest;
  /** The tag made from the subject's digest that it came under. */
  readonly tag: string | null;
  /** Whether the manifest itself names its subject; else its tag does. */
  readonly isOwn: boolean;
}

/**
 * What a manifest in a pack's repository refers to, by its own subject or by the one tag that is made from a digest: cosign's `sha256-<hex>.sig`,
 * `.att` and `.sbom`.
 * @throws DomainError ERR_OCI_MANIFEST_INVALID, ERR_OCI_TAG_PROTECTED
 */
export function subjectOf({ tags }: RecordedPush, { subject: own }: ParsedManifest): ReferredSubject {
  const [tag = null, ...others] = tags;
  const named = tag === null ? undefined : referrerTag(tag);
  const tagged = named?.suffix ? named.subject : undefined;
  const subject = own?.digest ?? tagged;
  if (subject === undefined) throw invalidManifest('/subject', "is missing: a pack's repository takes packs and what refers to them");
  if (others.length > 0 || (tag !== null && tagged !== subject)) {
    throw new DomainError('ERR_OCI_TAG_PROTECTED', 'what refers to a pack has no tag but one that is made from the digest of that', {
      errors: [{ field: 'tag', message: `${others[0] ?? tag ?? ''} is not for this manifest` }],
    });
  }
  return { subject, tag, isOwn: own !== null };
}
