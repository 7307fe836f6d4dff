export { RegistryClient } from './registry-client';
