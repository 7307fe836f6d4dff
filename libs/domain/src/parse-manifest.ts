import { isContentDigest } from './digest';
import { DomainError } from './domain-error';
import { MEDIA_TYPES } from './media-types';
import { MANIFEST_MAX_BYTES, type Descriptor } from './oci-manifest';

const LIMITS = { maxBytes: MANIFEST_MAX_BYTES, maxDepth: 32 };
const MAX_DESCRIPTORS = 10_000;
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

const IMAGES: readonly string[] = [MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerManifest];
const INDEXES: readonly string[] = [MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerIndex];

export interface Layer extends Descriptor {
  readonly annotations: Readonly<Record<string, string>>;
  /** Its bytes may lie elsewhere alone (image-spec "Non-Distributable Layers"). */
  readonly isForeign: boolean;
}

/** What a registry reads of an image manifest or index; members it has no use for are nobody's to refuse. */
export interface ParsedManifest {
  readonly mediaType: string;
  /** Empty where it has none of its own: a config's media type stands for that of an image manifest. */
  readonly artifactType: string;
  /** Null for an index. */
  readonly config: Descriptor | null;
  readonly layers: readonly Layer[];
  /** Of an index. */
  readonly children: readonly Descriptor[];
  readonly subject: Descriptor | null;
  readonly annotations: Readonly<Record<string, string>>;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * @param read the bytes as JSON, in which no object has a member twice
 * @throws DomainError ERR_OCI_MANIFEST_INVALID naming the place
 */
export function parseManifest(read: (limits: typeof LIMITS) => unknown, contentType: string): ParsedManifest {
  const mediaType = contentType.split(';', 1)[0]?.trim() ?? '';
  const isIndex = INDEXES.includes(mediaType);
  if (!isIndex && !IMAGES.includes(mediaType))
    throw invalidManifest('Content-Type', `must be one of ${[...IMAGES, ...INDEXES].join(', ')}`);
  const body = readObject(read);
  if (body['schemaVersion'] !== 2) throw invalidManifest('/schemaVersion', 'must be 2');
  if (body['mediaType'] !== undefined && body['mediaType'] !== mediaType) throw invalidManifest('/mediaType', 'is not the Content-Type');
  // One that reads as both would be two manifests under one digest.
  const strange = (isIndex ? ['config', 'layers', 'fsLayers'] : ['manifests', 'fsLayers']).find(name => name in body);
  if (strange !== undefined) throw invalidManifest(`/${strange}`, `does not belong into ${mediaType}`);
  const artifactType = body['artifactType'] === undefined ? '' : mediaTypeOf(body['artifactType'], '/artifactType', true);
  const common = {
    mediaType,
    subject: body['subject'] === undefined ? null : descriptor(body['subject'], '/subject'),
    annotations: annotationsOf(body['annotations'], '/annotations'),
  };
  if (isIndex) {
    const children = list(body['manifests'], '/manifests').map((item, at) => descriptor(item, `/manifests/${at}`));
    return { ...common, artifactType, config: null, layers: [], children };
  }
  const config = descriptor(body['config'], '/config');
  const layers = list(body['layers'], '/layers').map((item, at) => layer(item, `/layers/${at}`));
  return { ...common, artifactType: artifactType || config.mediaType, config, layers, children: [] };
}

function readObject(read: (limits: typeof LIMITS) => unknown): Json {
  const value = readJson(read);
  if (isObject(value)) return value;
  throw invalidManifest('/', 'is not a JSON object');
}

function readJson(read: (limits: typeof LIMITS) => unknown): unknown {
  try {
    return read(LIMITS);
  } catch (error) {
    throw invalidManifest('/', `is ${(error as Error).message}`);
  }
}

function list(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidManifest(at, 'is not an array');
  if (value.length > MAX_DESCRIPTORS) throw invalidManifest(at, `has more than ${MAX_DESCRIPTORS} descriptors`);
  return value;
}

function descriptor(value: unknown, at: string): Descriptor {
  if (!isObject(value)) throw invalidManifest(at, 'is not a descriptor');
  const { mediaType, digest, size } = value;
  if (!isContentDigest(digest)) throw invalidManifest(`${at}/digest`, 'is not a sha256 or sha512 digest');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw invalidManifest(`${at}/size`, 'is not a number of bytes');
  return { mediaType: mediaTypeOf(mediaType, `${at}/mediaType`), digest, size };
}

function layer(value: unknown, at: string): Layer {
  const read = descriptor(value, at);
  const { urls, annotations } = value as Json;
  const isForeign = Array.isArray(urls) && urls.length > 0;
  return { ...read, annotations: annotationsOf(annotations, `${at}/annotations`), isForeign };
}

function mediaTypeOf(value: unknown, at: string, mayBeEmpty = false): string {
  if (typeof value === 'string' && (MEDIA_TYPE.test(value) || (mayBeEmpty && value === ''))) return value;
  throw invalidManifest(at, 'is not a media type');
}

function annotationsOf(value: unknown, at: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw invalidManifest(at, 'is not an object');
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw invalidManifest(at, 'has a value that is not a string');
    if (!isStorable(name) || !isStorable(text)) throw invalidManifest(at, 'has a text that is not Unicode, or NUL in it');
  }
  return value as Readonly<Record<string, string>>;
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function invalidManifest(place: string, message: string): DomainError {
  const fault = place.startsWith('/') ? { pointer: place, message } : { field: place, message };
  return new DomainError('ERR_OCI_MANIFEST_INVALID', `the manifest was not accepted: ${place} ${message}`, { errors: [fault] });
}

/** Any part of a pack makes it one: what is half a pack is neither. */
export function isPackManifest({ artifactType, config, layers }: ParsedManifest): boolean {
  return (
    artifactType === MEDIA_TYPES.pack ||
    config?.mediaType === MEDIA_TYPES.packConfig ||
    layers.some(({ mediaType }) => mediaType === MEDIA_TYPES.packBundle)
  );
}
