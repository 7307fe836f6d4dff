export { invalidReference, parseArtifactReference } from './artifact-reference';
export { credentialsIn } from './credentials-file';
export { dockerCredentials } from './docker-credentials';
export { namedContent } from './named-content';
export { packOf } from './pack-artifact';
export { signaturesOf } from './pack-signatures';
export { RegistryClient } from './registry-client';
