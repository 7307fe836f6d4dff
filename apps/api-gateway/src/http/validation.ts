import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { DomainError, type FieldFault } from '@packs/domain';

/** Queries and JSON bodies follow their DTO exactly; a member nobody knows is a fault. */
export const validation = new ValidationPipe({
  transform: true,
  whitelist: true,
  forbidNonWhitelisted: true,
  exceptionFactory: (faults: ValidationError[]) =>
    new DomainError('ERR_PACK_REQUEST_INVALID', 'the request is not valid', { errors: faults.flatMap(fault => toFaults(fault, '')) }),
});

function toFaults(fault: ValidationError, parent: string): FieldFault[] {
  const field = parent ? `${parent}.${fault.property}` : fault.property;
  const own = Object.values(fault.constraints ?? {}).map(message => ({ field, message }));
  return [...own, ...(fault.children ?? []).flatMap(child => toFaults(child, field))];
}
