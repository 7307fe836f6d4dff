import type { TSchema } from '@sinclair/typebox';
import { DomainError } from '@packs/domain';
import Ajv, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';

const ajv = new Ajv({ allErrors: true, strict: false });
addFormats(ajv, ['date-time']);
const compiled = new WeakMap<TSchema, ValidateFunction>();

/**
 * Proves that a message has the shape of its contract.
 * @throws DomainError ERR_PACK_REQUEST_INVALID with a JSON pointer for each fault
 */
export function checkMessage<S extends TSchema>(schema: S, message: unknown, what: string): S['static'] {
  let validate = compiled.get(schema);
  if (!validate) {
    validate = ajv.compile(schema);
    compiled.set(schema, validate);
  }
  if (validate(message)) return message;
  const errors = (validate.errors ?? [])
    .slice(0, 20)
    .map(fault => ({ pointer: fault.instancePath, message: fault.message ?? 'is not valid' }));
  throw new DomainError('ERR_PACK_REQUEST_INVALID', `${what} does not follow its contract`, { errors });
}
