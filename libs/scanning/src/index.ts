export { type ClamdAddress } from './malware/clamd-connection';
export { MalwareScanner } from './malware/malware-scanner';
export { SecretPool } from './secrets/secret-pool';
export { SecretScanner } from './secrets/secret-scanner';
export { BundleScanner, ScannerUnreachable, type Scan } from './scanner';
