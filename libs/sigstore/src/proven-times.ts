import type { LoadedKey } from './public-key';
import { SignatureFault } from './signature-fault';
import type { SignedDocument } from './signed-document';
import { signatureContent, type ArtifactSubject } from './signed-entity';
import { dependsOnTime, type Standing } from './signer-standing';
import type { TrustedRoot } from './trusted-root';
import { verifyEvidence } from './verify-evidence';

interface TimeQuestion {
  readonly standing: Standing;
  readonly subjects: readonly ArtifactSubject[];
  readonly roots: readonly TrustedRoot[];
}

/**
 * When a key made the signature, by what its document brings along from a trusted log or clock. What does not hold proves nothing: of a key it is
 * not asked for.
 */
export function provenTimes(document: SignedDocument, key: LoadedKey, { standing, subjects, roots }: TimeQuestion): readonly Date[] {
  if (!dependsOnTime(key, standing) || document.entries.length + document.timestamps.length === 0) return [];
  for (const root of roots) {
    const times = timesBy(root, document, key, subjects);
    if (times.length > 0) return times;
  }
  return [];
}

function timesBy(root: TrustedRoot, document: SignedDocument, key: LoadedKey, subjects: readonly ArtifactSubject[]): readonly Date[] {
  try {
    const { times } = verifyEvidence(document, signatureContent(document.content, subjects), { kind: 'key', key }, root);
    return times.map(({ at }) => new Date(at));
  } catch (error) {
    if (error instanceof SignatureFault) return [];
    throw error;
  }
}
