import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { MEDIA_TYPES, type Digest, type SignatureMediaType } from '@packs/domain';

/** How files of a pack are named beside each other. */
const SUFFIXES: Readonly<Record<SignatureMediaType, string>> = {
  [MEDIA_TYPES.sigstoreBundle]: '.sigstore.json',
  [MEDIA_TYPES.dsseEnvelope]: '.dsse.json',
  [MEDIA_TYPES.rawSignature]: '.sig',
  [MEDIA_TYPES.simpleSignature]: '.cosign.json',
};

export interface SignatureFile {
  readonly mediaType: SignatureMediaType;
  readonly content: Uint8Array;
}

export function bundleFileName({ packId, version }: { readonly packId: string; readonly version: string }): string {
  return `${packId}-${version}.tgz`;
}

/** @param nth counts the signatures of one bundle from 0 */
export function signatureFileOf(bundle: string, mediaType: SignatureMediaType = MEDIA_TYPES.sigstoreBundle, nth = 0): string {
  return `${bundle}${nth === 0 ? '' : `.${nth + 1}`}${SUFFIXES[mediaType]}`;
}

/** The signatures in `files`, or else the one beside the bundle when there is one. */
export async function readSignatures(bundle: string, files: readonly string[]): Promise<readonly SignatureFile[]> {
  const beside = signatureFileOf(bundle);
  const isBeside = files.length === 0 && (await stat(beside).catch(() => undefined)) !== undefined;
  return Promise.all((isBeside ? [beside] : files).map(async file => ({ mediaType: mediaTypeOf(file), content: await readFile(file) })));
}

function mediaTypeOf(file: string): SignatureMediaType {
  if (file.endsWith(SUFFIXES[MEDIA_TYPES.rawSignature])) return MEDIA_TYPES.rawSignature;
  return file.endsWith(SUFFIXES[MEDIA_TYPES.dsseEnvelope]) ? MEDIA_TYPES.dsseEnvelope : MEDIA_TYPES.sigstoreBundle;
}

interface Measured {
  readonly digest: Digest;
  readonly size: number;
}

export async function measure(source: AsyncIterable<Uint8Array>): Promise<Measured> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of source) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

export function readBundle(file: string): AsyncIterable<Buffer> {
  return createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>;
}
