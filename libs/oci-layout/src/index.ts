export { FileMirrorTargets } from './file-mirror-targets';
export { MirrorTargetsByKind, RegistryMirrorTargets, type SealOf } from './registry-mirror-targets';
