import type { Digest, RepositoryName } from '@packs/domain';
import type { FastifyReply } from 'fastify';
import type { RepositoryCall } from '../operation';
import { chunkLength } from './upload-request';

/** Smaller chunks are taken as well; each costs a request and a row. */
const CHUNK_MIN_BYTES = 1024 * 1024;

/** Where an upload stands; the last byte of none is 0, as clients expect of registries. */
export function standing(reply: FastifyReply, { namespace, repository }: RepositoryName, id: string, size: number): FastifyReply {
  return reply.headers({
    location: `/v2/${namespace}/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, size - 1)}`,
    'docker-upload-uuid': id,
    'oci-chunk-min-length': String(CHUNK_MIN_BYTES),
  });
}

/** A blob that can be pulled from now on. */
export function created(reply: FastifyReply, { namespace, repository }: RepositoryName, digest: Digest): FastifyReply {
  return reply
    .status(201)
    .headers({ location: `/v2/${namespace}/${repository}/blobs/${digest}`, 'docker-content-digest': digest, 'content-length': '0' })
    .send('');
}

/** As `chunkLength`; a refusal tells where the upload does go on. */
export function nextChunk({ request, reply, name, reference }: RepositoryCall, size: number): number | undefined {
  try {
    return chunkLength(request.raw, size);
  } catch (error) {
    standing(reply, name, reference, size);
    throw error;
  }
}
