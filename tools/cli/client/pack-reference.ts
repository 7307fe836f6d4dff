import { DomainError, parsePackId, parseVersion } from '@packs/domain';

/** `packId` or `packId@version` as people write it. */
interface PackReference {
  readonly packId: string;
  readonly version?: string;
}

export interface VersionReference extends PackReference {
  readonly version: string;
}

/** @throws DomainError ERR_PACK_ID_INVALID or ERR_PACK_VERSION_INVALID */
export function parseReference(text: string): PackReference {
  const at = text.indexOf('@');
  if (at < 0) return { packId: parsePackId(text) };
  return { packId: parsePackId(text.slice(0, at)), version: parseVersion(text.slice(at + 1)) };
}

/** @throws DomainError, also ERR_PACK_REQUEST_INVALID when there is no version */
export function parseVersionReference(text: string): VersionReference {
  const { packId, version } = parseReference(text);
  if (version === undefined) throw new DomainError('ERR_PACK_REQUEST_INVALID', `${packId} needs a version: ${packId}@1.0.0`);
  return { packId, version };
}
