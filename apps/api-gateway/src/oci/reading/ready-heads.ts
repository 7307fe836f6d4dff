import type { Digest } from '@packs/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CACHE_CONTROL, matches } from '../../serving/send-bundle';
import { readyHead, sendReady, type ReadyBody, type ReadyHead } from '../../serving/send-ready';
import { API_VERSION } from '../plugin';

/** The heads of the answers that one piece of content can have. */
export interface ReadyHeads {
  readonly etag: string;
  readonly unchanged: ReadyHead;
  readonly whole: ReadyHead;
}

interface Described {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
}

/** @param more of its own beside what every content under a digest has */
export function readyHeads({ digest, size, mediaType }: Described, more: Readonly<Record<string, string>>): ReadyHeads {
  const etag = `"${digest}"`;
  const unchanged = { ...API_VERSION, 'docker-content-digest': digest, etag, 'cache-control': CACHE_CONTROL, ...more };
  const whole = { ...unchanged, 'content-type': mediaType, 'content-length': size };
  return { etag, unchanged: readyHead(unchanged), whole: readyHead(whole) };
}

/** @param body not asked for where the head is the answer */
export async function sendContent(
  { etag, unchanged, whole }: ReadyHeads,
  request: FastifyRequest,
  reply: FastifyReply,
  body: () => ReadyBody | Promise<ReadyBody>,
): Promise<FastifyReply> {
  if (matches(request.headers['if-none-match'], etag)) return sendReady(reply, 304, unchanged);
  if (request.method === 'HEAD') return sendReady(reply, 200, whole);
  const found = body();
  return sendReady(reply, 200, whole, found instanceof Promise ? await found : found);
}
