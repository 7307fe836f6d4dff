export { buildBundle, type BuiltBundle } from './build-bundle';
export { BUNDLE_LIMITS, type BundleLimits } from './bundle-limits';
export { packManifestSchema } from './pack-manifest.schema';
export { MANIFEST_MAX_BYTES, parsePackManifest } from './parse-pack-manifest';
export { walkBundle, type BundleEntry, type WalkedBundle, type WalkOptions } from './read-bundle';
