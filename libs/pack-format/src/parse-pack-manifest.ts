import { DomainError, isVersionRange, parseVersion, type PackManifest } from '@packs/domain';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import { pathFault } from './bundle-path';
import { referenceFaults } from './manifest-references';
import { schemaError, schemaFaults } from './manifest-faults';
import { packManifestSchema } from './pack-manifest.schema';
import { readYaml } from './read-yaml';

export const MANIFEST_MAX_BYTES = 256 * 1024;

/** Compiled for the first manifest: most of what loads this file reads none at once. */
let validator: ValidateFunction<PackManifest> | undefined;

/**
 * `pack.yaml` from its bytes.
 * @throws DomainError ERR_PACK_MANIFEST_YAML, or ERR_PACK_MANIFEST_SCHEMA whose `errors` each point at a value
 */
export function parsePackManifest(bytes: Uint8Array): PackManifest {
  if (bytes.byteLength > MANIFEST_MAX_BYTES) {
    throw new DomainError('ERR_PACK_MANIFEST_YAML', `pack.yaml has more than ${MANIFEST_MAX_BYTES} bytes`);
  }
  const value = readYaml(bytes);
  const isPackManifest = (validator ??= newValidator());
  if (!isPackManifest(value)) throw schemaError(schemaFaults(isPackManifest.errors ?? []));
  const faults = referenceFaults(value);
  if (faults.length > 0) throw schemaError(faults);
  return value;
}

function newValidator(): ValidateFunction<PackManifest> {
  // Required names are listed where their properties are not: in the branches of a oneOf.
  const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true, verbose: true });
  ajv.addFormat('semver', { type: 'string', validate: isVersion });
  ajv.addFormat('semver-range', { type: 'string', validate: isVersionRange });
  ajv.addFormat('pack-path', { type: 'string', validate: (text: string) => pathFault(text) === undefined });
  return ajv.compile<PackManifest>(packManifestSchema);
}

function isVersion(text: string): boolean {
  try {
    parseVersion(text);
    return true;
  } catch {
    return false;
  }
}
