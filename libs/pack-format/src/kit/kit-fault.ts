import { DomainError, type ErrorCode } from '@packs/domain';

type KitCode = Extract<ErrorCode, `ERR_KIT_${string}`>;

/** What is wrong with a kit. `details` names the place. */
export function kitFault(code: KitCode, message: string, details: Readonly<Record<string, unknown>> = {}): DomainError {
  return new DomainError(code, message, { details });
}
