export { buildBundle } from './build-bundle';
export { documentDescriptor, kitBlobs, type KitBlob } from './kit/kit-documents';
export { PROVING_SINK, type KitSink } from './kit/kit-reader';
export { parseKitManifest } from './kit/parse-kit-manifest';
export { readKit } from './kit/read-kit';
export { kitBytes, kitSize } from './kit/write-kit';
export { packManifestSchema } from './pack-manifest.schema';
export { parsePackManifest } from './parse-pack-manifest';
export { walkBundle } from './read-bundle';
