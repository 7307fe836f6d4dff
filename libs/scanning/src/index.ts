export { type ClamdAddress } from './malware/clamd-connection';
export { MalwareScanner, type ClamdSettings } from './malware/malware-scanner';
export { SecretPool, type SecretPoolSettings } from './secrets/secret-pool';
export { SecretScanner } from './secrets/secret-scanner';
export { BundleScanner, ScannerUnreachable, type Scan, type ScannedFile } from './scanner';
