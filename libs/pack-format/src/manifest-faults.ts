import { DomainError, type FieldFault } from '@packs/domain';
import type { ErrorObject } from 'ajv/dist/2020';

/** ajv's errors as one fault a value, sorted by place, in the words of somebody who writes a `pack.yaml`. */
export function schemaFaults(errors: readonly ErrorObject[]): FieldFault[] {
  const faults = new Map<string, FieldFault & { readonly pointer: string }>();
  for (const error of errors) {
    const fault = toFault(error);
    if (fault && !faults.has(fault.pointer)) faults.set(fault.pointer, fault);
  }
  return [...faults.values()].toSorted((a, b) => a.pointer.localeCompare(b.pointer, 'en', { numeric: true }));
}

const FAULTS_SHOWN = 32;

export function schemaError(faults: readonly FieldFault[]): DomainError {
  const first = faults[0];
  const more = faults.length > 1 ? `, and ${faults.length - 1} more` : '';
  const message = `pack.yaml is not a valid pack manifest: ${first?.pointer || 'the document'} ${first?.message ?? 'is not valid'}${more}`;
  return new DomainError('ERR_PACK_MANIFEST_SCHEMA', message, { errors: faults.slice(0, FAULTS_SHOWN) });
}

function toFault(error: ErrorObject): { pointer: string; message: string } | undefined {
  // `if` repeats what `then` said; the branches of a oneOf are summed up by the oneOf itself.
  if (error.keyword === 'if' || /\/oneOf\/\d+\//.test(error.schemaPath)) return undefined;
  const at = error.instancePath;
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case 'required':
      return { pointer: member(at, params['missingProperty']), message: 'is required' };
    case 'additionalProperties':
      return { pointer: member(at, params['additionalProperty']), message: 'is not a known field' };
    case 'propertyNames':
      return { pointer: member(at, params['propertyName']), message: 'is not an allowed name' };
    case 'oneOf':
      return { pointer: at, message: `must have exactly one of ${alternatives(error).join(', ')}` };
    default:
      return error.propertyName === undefined ? { pointer: at, message: describe(error, params) } : undefined;
  }
}

function describe(error: ErrorObject, params: Readonly<Record<string, unknown>>): string {
  switch (error.keyword) {
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue'])}`;
    case 'enum':
      return `must be one of ${(params['allowedValues'] as readonly unknown[]).join(', ')}`;
    case 'format':
      return FORMATS[String(params['format'])] ?? `must be of format ${String(params['format'])}`;
    case 'type':
      return typeMessage(String(params['type']), error.data);
    case 'pattern':
      return `must match ${String(params['pattern'])}`;
    default:
      return error.message ?? 'is not valid';
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  semver: 'must be a SemVer 2.0.0 version such as 1.4.0',
  'semver-range': 'must be a SemVer range such as ^1.4.0',
  'pack-path': 'must be the path of a file in the bundle, relative to its root',
};

function typeMessage(expected: string, data: unknown): string {
  const hint = expected === 'string' && (typeof data === 'number' || typeof data === 'boolean') ? '; put it in quotes' : '';
  return `must be ${/^[aeio]/.test(expected) ? 'an' : 'a'} ${expected.replaceAll(',', ' or ')}${hint}`;
}

function alternatives(error: ErrorObject): string[] {
  const branches = error.schema as readonly { readonly required?: readonly string[] }[];
  return branches.flatMap(branch => branch.required ?? []);
}

function member(pointer: string, name: unknown): string {
  return `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
