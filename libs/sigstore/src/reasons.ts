/** What is looked at in a signed document, in the order of a report. */
export const VERIFICATION_CHECKS = ['document', 'timestamp', 'signer', 'log', 'signature', 'subject', 'identity'] as const;
export type VerificationCheckId = (typeof VERIFICATION_CHECKS)[number];

/** Every way to be refused: the check that failed, and what that means. Codes are stable; docs/security.md lists them. */
export const VERIFICATION_REASONS = {
  'document-malformed': ['document', 'not in the one closed form of its kind: JSON, members, base64, numbers, sizes'],
  'document-unsupported': ['document', 'of a kind or version that is not known'],
  'trust-missing': ['signer', 'made with a certificate, and no trusted root is there to judge it by'],
  'timestamp-missing': ['timestamp', 'nothing that is trusted says when the signature was made'],
  'timestamp-malformed': ['timestamp', 'not an RFC 3161 response in DER with one signer'],
  'timestamp-mismatch': ['timestamp', 'about another signature'],
  'timestamp-untrusted': ['timestamp', 'by no timestamp authority that was trusted at its time'],
  'timestamp-invalid': ['timestamp', 'its own signature or certificates do not hold, or it is there twice'],
  'certificate-malformed': ['signer', 'not one DER certificate for signing code with one plain identity and one issuer'],
  'certificate-is-ca': ['signer', 'a certificate of an authority stands where a signer or nothing belongs'],
  'certificate-untrusted': ['signer', 'by no certificate authority that was trusted at the time of signing'],
  'certificate-expired': ['signer', 'the signature was made outside of the validity of its certificate'],
  'sct-missing': ['signer', 'the certificate proves no entry in a certificate transparency log'],
  'sct-invalid': ['signer', 'a certificate timestamp is by no trusted log, or not about this certificate'],
  'key-untrusted': ['signer', 'names a key that is not trusted, or nothing is trusted'],
  'key-expired': ['signer', 'the key did not count any more at that time'],
  'key-not-yet-valid': ['signer', 'the key did not count yet at that time'],
  'key-revoked': ['signer', 'the key, or the authority that issued the certificate, was revoked'],
  'identity-revoked': ['signer', 'whom the certificate names was revoked'],
  'digest-revoked': ['document', 'what was signed, or the signature itself, was revoked'],
  'log-entry-missing': ['log', 'no entry in a transparency log, or one twice'],
  'log-entry-mismatch': ['log', 'the log entry is about another signature, signer or artifact'],
  'log-untrusted': ['log', 'a log that is not trusted, or was not at the time of signing'],
  'log-promise-invalid': ['log', 'the signed entry timestamp is not by the log over this entry'],
  'log-proof-missing': ['log', 'an entry that nothing proves to be in the log'],
  'log-proof-invalid': ['log', 'the hashes do not lead from the entry to the root of the checkpoint'],
  'checkpoint-invalid': ['log', 'not a checkpoint signed by the log, or of another root or size than the proof'],
  'signature-invalid': ['signature', 'not by this signer over this content'],
  'subject-mismatch': ['subject', 'about another artifact'],
  'subject-bytes-needed': ['subject', 'can be checked with the bytes of the artifact alone, and its digest was given'],
  'statement-invalid': ['subject', 'the payload is no in-toto statement within its limits'],
  'issuer-mismatch': ['identity', 'another issuer than the one asked for'],
  'identity-mismatch': ['identity', 'another identity than the one asked for'],
  'extension-mismatch': ['identity', 'a certificate extension differs from the one asked for'],
  'verification-timeout': ['document', 'the verification did not end within its deadline and was ended'],
  'verification-failed': ['document', 'the verification broke off for a reason that no other code tells'],
} as const satisfies Readonly<Record<string, readonly [VerificationCheckId, string]>>;

export type VerificationReason = keyof typeof VERIFICATION_REASONS;

export function checkOf(reason: VerificationReason): VerificationCheckId {
  return VERIFICATION_REASONS[reason][0];
}
