import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePackManifest } from '@packs/pack-format';
import { REPOSITORY_ROOT } from '../repository-root';

/** A pack comes after the ones it depends on. */
const IN_ORDER = ['sbom-remediation', 'policy-baseline', 'license-analyzer', 'secure-delivery'] as const;

/** A sample pack's sources. */
export interface Sample {
  readonly folder: string;
  readonly packId: string;
  readonly version: string;
}

/** The sample packs in an order in which they can be published. */
export function readSamples(): Sample[] {
  return IN_ORDER.map(name => {
    const folder = join(REPOSITORY_ROOT, 'tools', 'samples', 'packs', name);
    const { metadata } = parsePackManifest(readFileSync(join(folder, 'pack.yaml')));
    return { folder, packId: metadata.packId, version: metadata.version };
  });
}
