import { DomainError } from '@packs/domain';
import type { BlobRef } from './blob-store';

/** Before the object key of a blob in quarantine. No store has an object under such a key, so that no reader can open it by mistake. */
const PREFIX = 'quarantined/';

export function quarantinedKey(objectKey: string): string {
  return `${PREFIX}${objectKey}`;
}

export function isQuarantined({ objectKey }: Pick<BlobRef, 'objectKey'>): boolean {
  return objectKey.startsWith(PREFIX);
}

/** Where the damaged bytes of a blob in quarantine lie. */
export function damagedObjectOf({ objectKey }: Pick<BlobRef, 'objectKey'>): string {
  return objectKey.slice(PREFIX.length);
}

/** @throws DomainError ERR_PACK_CORRUPT when the blob is in quarantine */
export function requireSound({ digest, objectKey }: Pick<BlobRef, 'digest' | 'objectKey'>): void {
  if (!isQuarantined({ objectKey })) return;
  throw new DomainError('ERR_PACK_CORRUPT', `the stored bytes of ${digest} are damaged or missing`, { details: { digest } });
}
