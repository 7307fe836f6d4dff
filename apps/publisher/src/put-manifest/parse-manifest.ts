import { parseManifest as parse, type ParsedManifest } from '@packs/domain';
import { parseStrictJson } from '@packs/sigstore';

/** @throws DomainError ERR_OCI_MANIFEST_INVALID naming the place */
export function parseManifest(bytes: Uint8Array, contentType: string): ParsedManifest {
  return parse(limits => parseStrictJson(bytes, limits), contentType);
}
