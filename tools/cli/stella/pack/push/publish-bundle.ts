import { randomUUID } from 'node:crypto';
import { ReadableStream } from 'node:stream/web';
import type { PublishAnswer } from '@packs/contracts';
import { MEDIA_TYPES, type Digest } from '@packs/domain';
import { packPath, type RegistryClient } from '../../../client/registry-client';
import type { SignatureFile } from '../pack-files';
import { encodeMultipart, multipartType, type Part } from './multipart';

export interface Publication {
  readonly packId: string;
  readonly channel: string;
  readonly digest: Digest;
  readonly idempotencyKey: string;
  readonly signatures: readonly SignatureFile[];
  readonly bundle: () => AsyncIterable<Uint8Array>;
}

/** Sends a bundle and its signatures from disk, without holding the bundle. */
export async function publishBundle(registry: RegistryClient, publication: Publication): Promise<PublishAnswer> {
  const { packId, channel, digest, idempotencyKey } = publication;
  const boundary = `stella-${randomUUID()}`;
  return registry.json<PublishAnswer>(
    'POST',
    `${packPath(packId)}/versions`,
    { channel, digest },
    {
      body: ReadableStream.from(encodeMultipart(boundary, partsOf(publication))) as RequestInit['body'],
      headers: { 'content-type': multipartType(boundary), 'idempotency-key': idempotencyKey },
      duplex: 'half',
    },
  );
}

function* partsOf({ bundle, signatures }: Publication): Generator<Part, void> {
  yield { name: 'bundle', fileName: 'bundle.tgz', mediaType: MEDIA_TYPES.packBundle, content: bundle() };
  for (const [at, { mediaType, content }] of signatures.entries()) {
    yield { name: 'signature', fileName: `signature-${at + 1}`, mediaType, content: [content] };
  }
}
