export { FileMirrorTargets } from './file-mirror-targets';
