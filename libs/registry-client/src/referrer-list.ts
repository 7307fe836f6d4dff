import { digestHex, digestAlgorithm, isContentDigest, type Descriptor, type Digest } from '@packs/domain';
import type { RemoteReferrer } from '@packs/ports';

export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

/** distribution-spec "Referrers Tag Schema": stands in where a registry has no referrers API. */
export function fallbackTag(subject: Digest): string {
  return `${digestAlgorithm(subject)}-${digestHex(subject).slice(0, 64)}`;
}

/** The descriptors of an index; undefined: it is none. What is no descriptor in it is left out. */
export function referrersOf(index: Buffer): RemoteReferrer[] | undefined {
  const parsed = parse(index);
  if (parsed?.['mediaType'] !== undefined && parsed['mediaType'] !== INDEX_TYPE) return undefined;
  const manifests = parsed?.['manifests'];
  return Array.isArray(manifests) ? manifests.flatMap(one => toReferrer(one) ?? []) : undefined;
}

export function encodeIndex(referrers: readonly RemoteReferrer[]): Buffer {
  const manifests = referrers.map(({ artifactType, annotations, ...descriptor }) => ({
    ...descriptor,
    ...(artifactType !== null && { artifactType }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  }));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }));
}

/** What a manifest refers to, and how it is listed there; undefined: it refers to nothing. */
export function referenceOf(
  manifest: Descriptor & { readonly bytes: Buffer },
): { readonly subject: Digest; readonly entry: RemoteReferrer } | undefined {
  const parsed = parse(manifest.bytes);
  const subject = (parsed?.['subject'] as { digest?: unknown } | undefined)?.digest;
  if (!isContentDigest(subject)) return undefined;
  const config = parsed?.['config'] as { mediaType?: unknown } | undefined;
  const artifactType = textOr(parsed?.['artifactType'], textOr(config?.mediaType, null));
  const { mediaType, digest, size } = manifest;
  return { subject, entry: { mediaType, digest, size, artifactType, annotations: annotationsOf(parsed?.['annotations']) } };
}

function toReferrer(value: unknown): RemoteReferrer | undefined {
  const { mediaType, digest, size, artifactType, annotations } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof mediaType !== 'string' || !isContentDigest(digest) || !Number.isSafeInteger(size) || Number(size) < 0) return undefined;
  return { mediaType, digest, size: Number(size), artifactType: textOr(artifactType, null), annotations: annotationsOf(annotations) };
}

function annotationsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function textOr<T>(value: unknown, otherwise: T): string | T {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}

function parse(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
