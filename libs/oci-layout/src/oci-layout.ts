import type { MirroredVersion } from '@packs/contracts';
import { canonicalJson, digestHex, isDigest, versionTag, type Digest } from '@packs/domain';

/** OCI image-spec v1.1 "Image Layout". */
export const LAYOUT_FILE = 'oci-layout';
export const INDEX_FILE = 'index.json';
export const OCI_LAYOUT = Buffer.from('{"imageLayoutVersion":"1.0.0"}');
/** Names, in the index, the blob that says what lifecycle and channels the manifests have: so both change in one step. */
const STATE_ANNOTATION = 'io.stellaops.mirror.state';
const STATE_SIZE_ANNOTATION = 'io.stellaops.mirror.state.size';
const REF_NAME = 'org.opencontainers.image.ref.name';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const PACK_ARTIFACT = 'application/vnd.stellaops.pack.v1';

export function blobPath(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}

export interface StateDescriptor {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * `index.json` for versions in the order of a state, in pieces. It lists every pack manifest under its tag and, as tools that read
 * layouts look for referrers there, every manifest that refers to one.
 */
export function* encodeIndex(tenant: string, versions: readonly MirroredVersion[], state: StateDescriptor): Generator<Buffer> {
  const annotations = { [STATE_ANNOTATION]: state.digest, [STATE_SIZE_ANNOTATION]: String(state.size) };
  yield Buffer.from(`{"annotations":${canonicalJson(annotations)},"manifests":[`);
  let separator = '';
  for (const version of versions) {
    yield Buffer.from(`${separator}${entriesOf(tenant, version).map(canonicalJson).join(',')}`);
    separator = ',';
  }
  yield Buffer.from(`],"mediaType":"${INDEX_TYPE}","schemaVersion":2}`);
}

function entriesOf(tenant: string, { packId, version, manifest, referrers }: MirroredVersion): object[] {
  const annotations = { [REF_NAME]: `${tenant}/${packId}:${versionTag(version)}` };
  return [{ ...manifest, artifactType: PACK_ARTIFACT, annotations }, ...referrers.map(referrer => referrer.manifest)];
}

/** The state an index names, or undefined when it is no index of a mirror. */
export function stateDescriptorOf(index: Buffer): StateDescriptor | undefined {
  let parsed: { annotations?: Readonly<Record<string, unknown>> } | null;
  try {
    parsed = JSON.parse(index.toString('utf8')) as typeof parsed;
  } catch {
    return undefined;
  }
  const digest = parsed?.annotations?.[STATE_ANNOTATION];
  const size = Number(parsed?.annotations?.[STATE_SIZE_ANNOTATION]);
  return isDigest(digest) && Number.isSafeInteger(size) && size >= 0 ? { digest, size } : undefined;
}
