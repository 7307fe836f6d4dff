import { VERSION_SIGNATURES_MAX, type RotateSignatureRequest } from '@packs/contracts';
import { DomainError, type Digest, type FieldFault } from '@packs/domain';
import type { JudgeableVersion } from '@packs/ports';

type Signature = JudgeableVersion['signatures'][number];

export interface RotationPlan {
  readonly added: RotateSignatureRequest['signatures'];
  readonly replaced: readonly Digest[];
  /** All that the version has afterwards. */
  readonly signatures: readonly Signature[];
}

/**
 * What is to come and to go. A signature that the version has already stays as it is.
 * @throws DomainError ERR_PACK_NOT_FOUND naming those that are to go and are none of the version's, ERR_PACK_LIMIT
 */
export function planRotation(
  { signatures: held }: Pick<JudgeableVersion, 'signatures'>,
  { signatures, replaces }: Pick<RotateSignatureRequest, 'signatures' | 'replaces'>,
): RotationPlan {
  const sent = new Map(signatures.map(signature => [signature.digest, signature]));
  const has = new Set(held.map(({ digest }) => digest));
  const added = [...sent.values()].filter(({ digest }) => !has.has(digest));
  const unknown = replaces === 'all' ? [] : replaces.filter(digest => !has.has(digest));
  if (unknown.length > 0) throw notThere(unknown);
  const goes = (digest: Digest) => !sent.has(digest) && (replaces === 'all' || replaces.includes(digest));
  const remaining = held.filter(({ digest }) => !goes(digest));
  const after = [...remaining, ...added].toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
  if (after.length > VERSION_SIGNATURES_MAX) {
    throw new DomainError('ERR_PACK_LIMIT', `a version has at most ${VERSION_SIGNATURES_MAX} signatures at a time`);
  }
  return { added, replaced: held.filter(({ digest }) => goes(digest)).map(({ digest }) => digest), signatures: after };
}

function notThere(digests: readonly Digest[]): DomainError {
  const errors: FieldFault[] = digests.map(digest => ({ field: 'replaces', message: `${digest} is no signature of the version` }));
  return new DomainError('ERR_PACK_NOT_FOUND', `the version has no signature ${digests[0] ?? ''}`, { errors });
}
