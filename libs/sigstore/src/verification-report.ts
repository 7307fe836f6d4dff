import { canonicalDigest, type Digest, type SignatureScheme } from '@packs/domain';
import { checkOf, VERIFICATION_CHECKS, type VerificationCheckId, type VerificationReason } from './reasons';
import type { CertificateIdentity } from './signing-certificate';

export interface VerificationCheck {
  readonly id: VerificationCheckId;
  readonly outcome: 'pass' | 'fail' | 'skipped';
  readonly reason: 'ok' | 'not-reached' | 'not-required' | VerificationReason;
}

export type SignerIdentity =
  | { readonly kind: 'key'; readonly name: string; readonly keyId: Digest; readonly scheme: SignatureScheme }
  | ({
      readonly kind: 'certificate';
      /** SHA-256 of the SubjectPublicKeyInfo of the trusted authority that issued the certificate. */
      readonly authority: Digest;
      /** Of the key in the certificate. */
      readonly scheme: string;
    } & CertificateIdentity);

/** When a signature was made, by who is trusted to know it. */
export interface SigningTime {
  readonly source: 'log' | 'timestamp-authority';
  /** RFC 3339. */
  readonly at: string;
}

export interface LogInclusion {
  /** The log's id, as its trusted root names it. */
  readonly log: string;
  /** SHA-256 of the entry's body. */
  readonly entry: Digest;
}

/** What was found out about one signature document. All of it but `message` and `isProven` is evidence that others can find again. */
export interface VerificationReport {
  readonly outcome: 'accepted' | 'rejected';
  readonly checks: readonly VerificationCheck[];
  /** Who signed; null unless accepted. */
  readonly identity: SignerIdentity | null;
  readonly times: readonly SigningTime[];
  readonly entries: readonly LogInclusion[];
  /** Of the in-toto statement that was signed, if one was. */
  readonly predicateType?: string;
  /** Whether a log is proven to have the signature. Not evidence of its own: a proof beside a promise may be left out. */
  readonly isProven?: boolean;
  /** For people: why it was refused. */
  readonly message?: string;
}

export type Findings = Pick<VerificationReport, 'times' | 'entries' | 'predicateType' | 'isProven'> & { readonly identity: SignerIdentity };

/** What was done so far, in the order it was done. */
export class CheckProgress {
  private readonly done = new Map<VerificationCheckId, 'ok' | 'not-required'>();

  pass(...ids: readonly VerificationCheckId[]): void {
    for (const id of ids) this.done.set(id, 'ok');
  }

  skip(...ids: readonly VerificationCheckId[]): void {
    for (const id of ids) this.done.set(id, 'not-required');
  }

  get count(): number {
    return this.done.size;
  }

  accepted(findings: Findings): VerificationReport {
    return { outcome: 'accepted', checks: this.checks(), ...findings };
  }

  rejected(reason: VerificationReason, message: string): VerificationReport {
    return { outcome: 'rejected', checks: this.checks(reason), identity: null, times: [], entries: [], message };
  }

  private checks(failed?: VerificationReason): VerificationCheck[] {
    return VERIFICATION_CHECKS.map(id => {
      if (failed !== undefined && checkOf(failed) === id) return { id, outcome: 'fail', reason: failed };
      const reason = this.done.get(id) ?? 'not-reached';
      return { id, outcome: reason === 'ok' ? 'pass' : 'skipped', reason };
    });
  }
}

/** The one reason a document was refused for; undefined when it was not. */
export function reasonOf({ checks }: VerificationReport): VerificationReason | undefined {
  for (const { outcome, reason } of checks) {
    if (outcome === 'fail' && reason !== 'ok' && reason !== 'not-reached' && reason !== 'not-required') return reason;
  }
  return undefined;
}

/** SHA-256 of the RFC 8785 JSON of all that is evidence. */
export function reportHash({ message: _, isProven: __, ...evidence }: VerificationReport): Digest {
  return canonicalDigest(evidence);
}
