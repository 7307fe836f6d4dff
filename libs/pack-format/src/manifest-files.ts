import type { FieldFault, PackManifest } from '@packs/domain';
import { schemaError } from './manifest-faults';

/**
 * Refuses a manifest that names files the bundle does not have: it would fail only when it is run.
 * @throws DomainError ERR_PACK_MANIFEST_SCHEMA
 */
export function refuseMissingFiles(manifest: PackManifest, files: ReadonlySet<string>): void {
  const missing = namedFiles(manifest).filter(({ file }) => !files.has(file));
  const faults = missing.map(({ pointer, file }): FieldFault => ({
    pointer,
    message: `names ${JSON.stringify(file)}, which the bundle does not have`,
  }));
  if (faults.length > 0) throw schemaError(faults);
}

function namedFiles({ kind, spec }: PackManifest): { pointer: string; file: string }[] {
  if (kind === 'AnalyzerPack') return [{ pointer: '/spec/entrypoint/file', file: (spec['entrypoint'] as { file: string }).file }];
  if (kind !== 'PolicyPack') return [];
  const rules = spec['rules'] as readonly { readonly file?: string }[];
  return rules.flatMap(({ file }, at) => (file === undefined ? [] : [{ pointer: `/spec/rules/${at}/file`, file }]));
}
