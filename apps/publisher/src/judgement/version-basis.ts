import { canonicalDigest, type Digest } from '@packs/domain';
import type { JudgeableVersion } from '@packs/ports';

type Evidence = Pick<JudgeableVersion, 'signatures' | 'attestations'>;

/** What a verdict on a published version leans on beside trust and policies: what it is signed and attested by, and what of that is contested. */
export function versionBasis({ signatures, attestations }: Evidence): Digest {
  return canonicalDigest({
    signatures: signatures.map(({ digest }) => digest),
    attestations: attestations.map(({ digest, contested }) => ({ digest, contested })),
  });
}

/** The version as a decision sees it that is still to be made: what is contested counts for none. */
export function withoutContested(version: JudgeableVersion): JudgeableVersion {
  return { ...version, attestations: version.attestations.filter(({ contested }) => !contested) };
}
