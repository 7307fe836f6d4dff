import { canonicalDigest, type Digest } from '@packs/domain';
import { isObject, PredicateReader, type Read } from './bounded';

/** Predicate types that hold an SBOM, each with its format; versions of a format add `/v<n>`. */
const SBOM_TYPES = { 'https://cyclonedx.org/bom': 'CycloneDX', 'https://spdx.dev/Document': 'SPDX' } as const;
export type SbomFormat = (typeof SBOM_TYPES)[keyof typeof SBOM_TYPES];

/** Components that are counted at the most; the count then is a lower bound. */
const MAX_COMPONENTS = 100_000;

export interface Sbom extends Read {
  readonly format: SbomFormat;
  readonly specVersion: string | null;
  /** CycloneDX: serial number; SPDX: document namespace. */
  readonly id: string | null;
  readonly components: number;
  /** SHA-256 of the SBOM's RFC 8785 JSON; null for one that has none. */
  readonly digest: Digest | null;
}

/** @returns undefined for other predicate types */
export function sbomFormat(predicateType: string): SbomFormat | undefined {
  const name = predicateType.replace(/\/v\d[\d.]{0,8}$/, '');
  return Object.hasOwn(SBOM_TYPES, name) ? SBOM_TYPES[name as keyof typeof SBOM_TYPES] : undefined;
}

/** How large an SBOM is and which: the components themselves are the document's. */
export function readSbom(format: SbomFormat, predicate: unknown): Sbom {
  const reader = new PredicateReader();
  const bom = reader.object(predicate, '');
  const common = { format, digest: digestOf(predicate, reader) };
  if (format === 'CycloneDX') {
    return {
      ...common,
      specVersion: reader.text(bom['specVersion'], '/specVersion'),
      id: reader.text(bom['serialNumber'], '/serialNumber'),
      components: countNested(reader.list(bom['components'], '/components')),
      leftOut: reader.leftOut,
    };
  }
  const graph = reader.list(bom['@graph'], '/@graph');
  return {
    ...common,
    specVersion: reader.text(bom['spdxVersion'], '/spdxVersion'),
    id: reader.text(bom['documentNamespace'], '/documentNamespace'),
    components: reader.list(bom['packages'], '/packages').length + graph.filter(isPackage).length,
    leftOut: reader.leftOut,
  };
}

/** CycloneDX components may have components. */
function countNested(components: readonly unknown[]): number {
  let count = 0;
  const open = [...components.slice(0, MAX_COMPONENTS)];
  for (let next = open.pop(); next !== undefined && count < MAX_COMPONENTS; next = open.pop()) {
    if (!isObject(next)) continue;
    count += 1;
    const inner = next['components'];
    if (Array.isArray(inner)) for (const one of inner.slice(0, MAX_COMPONENTS)) open.push(one);
  }
  return count;
}

function isPackage(element: unknown): boolean {
  return isObject(element) && element['type'] === 'software_Package';
}

function digestOf(predicate: unknown, reader: PredicateReader): Digest | null {
  try {
    if (isObject(predicate)) return canonicalDigest(predicate);
  } catch {
    // Numbers and strings that RFC 8785 has no form for.
  }
  reader.leaveOut('');
  return null;
}
