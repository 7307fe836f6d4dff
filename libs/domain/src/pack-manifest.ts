import type { PackType } from './identifiers';

export const PACK_API_VERSION = 'stellaops.io/pack.v1';

/** The file every bundle has at its root. */
export const PACK_MANIFEST_FILE = 'pack.yaml';

/** `pack.yaml` after its schema was checked: the signed facts about one version of one pack. */
export interface PackManifest {
  readonly apiVersion: typeof PACK_API_VERSION;
  readonly kind: 'TaskPack' | 'PolicyPack' | 'AnalyzerPack' | 'BundlePack';
  readonly metadata: PackMetadata;
  readonly dependencies?: readonly PackDependency[];
  readonly compatibility?: PackCompatibility;
  /** What the kind defines: task steps, policy rules, analyzer entry points or bundle members. */
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface PackMetadata {
  readonly packId: string;
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /** Tenants beside the owner that may see this version; `*` is everybody. Absent: the owner alone. */
  readonly tenantVisibility?: readonly string[];
  readonly author?: string;
  readonly maintainers?: readonly { readonly name: string; readonly email?: string }[];
  /** SPDX licence expression. */
  readonly license?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A pack this one needs, in its own namespace, at a version that satisfies the SemVer range. */
export interface PackDependency {
  readonly packId: string;
  readonly version: string;
}

export interface PackCompatibility {
  /** SemVer range of `stella` versions. */
  readonly cli?: string;
  readonly runner?: { readonly minRunnerVersion?: string; readonly range?: string };
}

const TYPE_OF_KIND: Readonly<Record<PackManifest['kind'], PackType>> = {
  TaskPack: 'task',
  PolicyPack: 'policy',
  AnalyzerPack: 'analyzer',
  BundlePack: 'bundle',
};

export function packTypeOf(manifest: PackManifest): PackType {
  return TYPE_OF_KIND[manifest.kind];
}

/** Everything that must exist before this version may be published: its dependencies and, for a bundle, its members. */
export function requirementsOf(manifest: PackManifest): readonly (PackDependency & { readonly pointer: string })[] {
  const dependencies = (manifest.dependencies ?? []).map((item, at) => ({ ...item, pointer: `/dependencies/${at}` }));
  if (manifest.kind !== 'BundlePack') return dependencies;
  const members = manifest.spec['members'] as readonly PackDependency[];
  return [...dependencies, ...members.map((item, at) => ({ ...item, pointer: `/spec/members/${at}` }))];
}
