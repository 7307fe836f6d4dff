import { DomainError } from '@packs/domain';

export function lostUpload(cause?: unknown): DomainError {
  return new DomainError('ERR_PACK_NOT_FOUND', 'what was uploaded before is not there any more; begin again', { cause });
}
