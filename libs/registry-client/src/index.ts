export { credentialsIn } from './credentials-file';
export { dockerCredentials } from './docker-credentials';
export { RegistryClient } from './registry-client';
