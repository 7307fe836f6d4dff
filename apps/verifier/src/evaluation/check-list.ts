import type { Check, CHECK_REASONS, CheckId, Digest, DomainError, VerdictFault } from '@packs/domain';

/** A reply is one message: there is room for so much prose. */
const MAX_FAULTS = 64;
const MAX_MESSAGE = 300;
const MAX_POINTER = 200;

/** The checks of one evaluation in their order, and what is to be told about those that failed. */
export class CheckList {
  readonly checks: Check[] = [];
  readonly faults: VerdictFault[] = [];

  pass(id: CheckId, evidence?: Digest): void {
    this.add(id, 'pass', 'ok', evidence);
  }

  skip(id: CheckId, reason: 'not-reached' | 'unsigned-allowed', evidence?: Digest): void {
    this.add(id, 'skipped', reason, evidence);
  }

  passUnsigned(): void {
    this.skip('signature', 'unsigned-allowed');
    this.add('policy', 'pass', 'unsigned-allowed');
  }

  fail(id: CheckId, fault: VerdictFault, evidence?: Digest): void {
    this.add(id, 'fail', fault.code, evidence);
    this.explain(fault);
  }

  /** For a reason of the check's own; its code is that of the fault it is told as. */
  failFor(id: CheckId, reason: keyof typeof CHECK_REASONS, fault: VerdictFault, evidence?: Digest): void {
    this.add(id, 'fail', reason, evidence);
    this.explain({ ...fault, reason });
  }

  failBy(id: CheckId, { code, message, errors }: DomainError): void {
    this.add(id, 'fail', code);
    if (errors.length === 0) this.explain({ code, message });
    for (const error of errors) this.explain({ ...error, code });
  }

  /** Nothing was found out about the signatures, nor about the policy. */
  skipSignatures(signatures: readonly { readonly digest: Digest }[]): void {
    if (signatures.length === 0) this.skip('signature', 'not-reached');
    for (const { digest } of signatures) this.skip('signature', 'not-reached', digest);
    this.skip('policy', 'not-reached');
  }

  private add(id: CheckId, outcome: Check['outcome'], reason: Check['reason'], evidence?: Digest): void {
    this.checks.push({ id, outcome, reason, ...(evidence ? { evidence } : {}) });
  }

  private explain({ code, reason, message, pointer, field }: VerdictFault): void {
    if (this.faults.length === MAX_FAULTS) return;
    this.faults.push({
      code,
      ...(reason !== undefined ? { reason } : {}),
      message: message.slice(0, MAX_MESSAGE).toWellFormed(),
      ...(pointer !== undefined && pointer.length <= MAX_POINTER ? { pointer } : {}),
      ...(field !== undefined ? { field } : {}),
    });
  }
}
