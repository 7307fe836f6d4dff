import { KIT_SCHEMA, KitManifestSchema, type KitManifest } from '@packs/contracts';
import { canonicalJson, versionSortKey } from '@packs/domain';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { kitFault } from './kit-fault';

/** Compiled for the first manifest: most of what loads this file reads none at once. */
let validator: ValidateFunction<KitManifest> | undefined;

/**
 * @throws DomainError ERR_KIT_FORMAT for what is no manifest of a format known here, ERR_KIT_DIGEST when its bytes are not those its writer made
 */
export function parseKitManifest(bytes: Buffer): KitManifest {
  const text = bytes.toString('utf8');
  const value = parseJson(text, 'the manifest of the kit');
  const schema = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  if (schema !== KIT_SCHEMA)
    throw kitFault('ERR_KIT_FORMAT', `the kit is not of the format ${KIT_SCHEMA}`, {
      format: typeof schema === 'string' ? schema.slice(0, 100) : null,
    });
  const isManifest = (validator ??= newValidator());
  if (!isManifest(value)) {
    const [fault] = isManifest.errors ?? [];
    throw kitFault('ERR_KIT_FORMAT', `the manifest of the kit is not valid: ${fault?.instancePath ?? ''} ${fault?.message ?? ''}`.trim());
  }
  if (canonicalJson(value) !== text) throw kitFault('ERR_KIT_DIGEST', 'the manifest of the kit is not in the form it was written in');
  requireOrder(value);
  return value;
}

function newValidator(): ValidateFunction<KitManifest> {
  const ajv = new Ajv2020({ strict: false });
  addFormats(ajv, ['date-time']);
  return ajv.compile<KitManifest>(KitManifestSchema);
}

/** @throws DomainError ERR_KIT_DIGEST: writers make JSON, so bytes that are none were changed */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw kitFault('ERR_KIT_DIGEST', `${what} is not JSON any more`);
  }
}

/** In the order of packs and precedence, which also means that no version is there twice. */
function requireOrder({ versions }: KitManifest): void {
  let last = '';
  for (const { packId, version } of versions) {
    const key = `${packId}\n${versionSortKey(version)}`;
    if (key <= last) throw kitFault('ERR_KIT_FORMAT', `the versions of the kit are not in order at ${packId} ${version}`);
    last = key;
  }
}
