import { PredicateReader, type DigestSet, type Read } from './bounded';

/** https://slsa.dev/spec/v1.0/provenance */
export const SLSA_PROVENANCE = 'https://slsa.dev/provenance/v1';

const MAX_MATERIALS = 64;
/** More are counted and not looked at. */
const MAX_LOOKED_AT = 4096;

export interface Material {
  readonly name: string | null;
  readonly uri: string | null;
  readonly digests: DigestSet;
}

export interface BuildSource {
  readonly repository: string;
  readonly ref: string | null;
  readonly commit: string | null;
}

export interface SlsaProvenance extends Read {
  readonly builder: string | null;
  readonly buildType: string | null;
  readonly source: BuildSource | null;
  readonly invocation: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** The first of them. */
  readonly materials: readonly Material[];
  readonly materialCount: number;
}

/** What a provenance says of the build: who built it, how, from what. */
export function readSlsaProvenance(predicate: unknown): SlsaProvenance {
  const reader = new PredicateReader();
  const { buildDefinition, runDetails } = reader.object(predicate, '');
  const definition = reader.object(buildDefinition, '/buildDefinition');
  const details = reader.object(runDetails, '/runDetails');
  const builder = reader.object(details['builder'], '/runDetails/builder');
  const metadata = reader.object(details['metadata'], '/runDetails/metadata');
  const dependencies = reader.list(definition['resolvedDependencies'], '/buildDefinition/resolvedDependencies');
  const shown = dependencies.slice(0, MAX_MATERIALS).map((dependency, at) => materialOf(reader, dependency, at));
  const parameters = reader.object(definition['externalParameters'], '/buildDefinition/externalParameters');
  return {
    builder: reader.text(builder['id'], '/runDetails/builder/id'),
    buildType: reader.text(definition['buildType'], '/buildDefinition/buildType'),
    source: sourceOf(reader, dependencies.slice(0, MAX_LOOKED_AT), parameters),
    invocation: reader.text(metadata['invocationId'], '/runDetails/metadata/invocationId'),
    startedAt: reader.time(metadata['startedOn'], '/runDetails/metadata/startedOn'),
    finishedAt: reader.time(metadata['finishedOn'], '/runDetails/metadata/finishedOn'),
    materials: shown,
    materialCount: dependencies.length,
    leftOut: reader.leftOut,
  };
}

function materialOf(reader: PredicateReader, dependency: unknown, index: number): Material {
  const at = `/buildDefinition/resolvedDependencies/${index}`;
  const { name, uri, digest } = reader.object(dependency, at);
  return { name: reader.text(name, `${at}/name`), uri: reader.text(uri, `${at}/uri`), digests: reader.digests(digest, `${at}/digest`) };
}

/** The resolved dependency that is a commit says more than the parameters, which are what was asked for. */
function sourceOf(
  reader: PredicateReader,
  dependencies: readonly unknown[],
  parameters: Readonly<Record<string, unknown>>,
): BuildSource | null {
  for (const [index, dependency] of dependencies.entries()) {
    const found = resolvedSource(dependency, index, reader);
    if (found) return found;
  }
  const workflow = reader.object(parameters['workflow'], '/buildDefinition/externalParameters/workflow');
  const repository = reader.text(workflow['repository'], '/buildDefinition/externalParameters/workflow/repository');
  if (repository !== null) {
    return { ...splitUri(repository), ref: reader.text(workflow['ref'], '/buildDefinition/externalParameters/workflow/ref'), commit: null };
  }
  const asked = reader.text(parameters['source'], '/buildDefinition/externalParameters/source');
  return asked === null ? null : { ...splitUri(asked), commit: null };
}

function resolvedSource(dependency: unknown, index: number, reader: PredicateReader): BuildSource | undefined {
  // Those that are no source are told of where they are shown.
  const quiet = new PredicateReader();
  const { uri, digest } = quiet.object(dependency, '');
  const text = quiet.text(uri, '');
  if (text === null) return undefined;
  const digests = quiet.digests(digest, '');
  const commit = digests['gitCommit'] ?? (text.startsWith('git+') ? digests['sha1'] : undefined);
  if (commit === undefined && !text.startsWith('git+')) return undefined;
  if (commit === undefined) reader.leaveOut(`/buildDefinition/resolvedDependencies/${index}/digest/gitCommit`);
  return { ...splitUri(text), commit: commit ?? null };
}

/** `git+<repository>[@<ref>]`, as SPDX's download locations have it; an `@` before the path is a user's. */
function splitUri(uri: string): { repository: string; ref: string | null } {
  const plain = uri.startsWith('git+') ? uri.slice('git+'.length) : uri;
  const at = plain.lastIndexOf('@');
  const path = plain.indexOf('/', plain.indexOf('://') + 3);
  return path > 0 && at > path ? { repository: plain.slice(0, at), ref: plain.slice(at + 1) || null } : { repository: plain, ref: null };
}
