import type { FieldFault, PackManifest } from '@packs/domain';

interface TaskSpec {
  readonly parameters?: readonly { readonly name: string }[];
  readonly approvals?: readonly { readonly id: string }[];
  readonly steps: readonly { readonly id: string; readonly approval?: string; readonly needs?: readonly string[] }[];
  readonly outputs?: readonly { readonly name: string; readonly step: string }[];
}

/** Faults JSON Schema cannot see: a name given twice, a name of something that is not there, a pack that needs itself. */
export function referenceFaults(manifest: PackManifest): FieldFault[] {
  const { metadata, dependencies = [], spec } = manifest;
  const packs = manifest.kind === 'BundlePack' ? listAt(spec, 'members') : [];
  return [
    ...repeated('/metadata/tags', metadata.tags ?? []),
    ...repeated('/metadata/tenantVisibility', metadata.tenantVisibility ?? []),
    ...repeated('/dependencies', values(dependencies, 'packId'), '/packId'),
    ...itself('/dependencies', values(dependencies, 'packId'), metadata.packId),
    ...repeated('/spec/members', values(packs, 'packId'), '/packId'),
    ...itself('/spec/members', values(packs, 'packId'), metadata.packId),
    ...ofKind(manifest),
  ];
}

function ofKind({ kind, spec }: PackManifest): FieldFault[] {
  switch (kind) {
    case 'TaskPack':
      return taskFaults(spec as unknown as TaskSpec);
    case 'PolicyPack':
      return repeated('/spec/rules', values(listAt(spec, 'rules'), 'id'), '/id');
    case 'AnalyzerPack':
      return [
        ...repeated('/spec/inputs', values(listAt(spec, 'inputs'), 'id'), '/id'),
        ...repeated('/spec/outputs', values(listAt(spec, 'outputs'), 'id'), '/id'),
      ];
    case 'BundlePack':
      return [];
  }
}

function taskFaults({ parameters = [], approvals = [], steps, outputs = [] }: TaskSpec): FieldFault[] {
  const known = new Set(values(approvals, 'id'));
  const earlier = new Set<string>();
  const faults: FieldFault[] = [];
  steps.forEach((step, at) => {
    (step.needs ?? []).forEach((need, n) => {
      // Only earlier steps: so the needs have no cycle.
      if (!earlier.has(need)) faults.push({ pointer: `/spec/steps/${at}/needs/${n}`, message: 'must be the id of an earlier step' });
    });
    if (step.approval !== undefined && !known.has(step.approval)) {
      faults.push({ pointer: `/spec/steps/${at}/approval`, message: 'must be the id of one of /spec/approvals' });
    }
    earlier.add(step.id);
  });
  outputs.forEach((output, at) => {
    if (!earlier.has(output.step)) faults.push({ pointer: `/spec/outputs/${at}/step`, message: 'must be the id of a step' });
  });
  return [
    ...repeated('/spec/parameters', values(parameters, 'name'), '/name'),
    ...repeated('/spec/approvals', values(approvals, 'id'), '/id'),
    ...repeated('/spec/steps', values(steps, 'id'), '/id'),
    ...repeated('/spec/outputs', values(outputs, 'name'), '/name'),
    ...faults,
  ];
}

function repeated(pointer: string, names: readonly string[], member = ''): FieldFault[] {
  const seen = new Set<string>();
  return names.flatMap((name, at) => {
    const fault = seen.has(name) ? [{ pointer: `${pointer}/${at}${member}`, message: `repeats ${JSON.stringify(name)}` }] : [];
    seen.add(name);
    return fault;
  });
}

function itself(pointer: string, packIds: readonly string[], own: string): FieldFault[] {
  return packIds.flatMap((packId, at) => (packId === own ? [{ pointer: `${pointer}/${at}/packId`, message: 'is this pack itself' }] : []));
}

/** A list the schema has proven to be there. */
function listAt(spec: PackManifest['spec'], name: string): readonly Readonly<Record<string, string>>[] {
  return spec[name] as readonly Readonly<Record<string, string>>[];
}

function values<K extends string>(items: readonly { readonly [name in K]?: string }[], name: K): string[] {
  return items.map(item => item[name] ?? '');
}
