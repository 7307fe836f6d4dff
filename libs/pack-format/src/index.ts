export { buildBundle } from './build-bundle';
export { packManifestSchema } from './pack-manifest.schema';
export { parsePackManifest } from './parse-pack-manifest';
export { walkBundle } from './read-bundle';
