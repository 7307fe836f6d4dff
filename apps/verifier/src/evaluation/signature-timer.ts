/** Takes how long one signature took to check, in seconds (`registry_pack_signature_verify_seconds`). */
export abstract class SignatureTimer {
  abstract observe(seconds: number, result: 'valid' | 'invalid' | 'untrusted'): void;
}
