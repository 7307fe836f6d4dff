import type { FastifyReply } from 'fastify';

/** Names and values by turns, as they are sent. */
export type ReadyHead = readonly string[];
/** Text has one byte a character (latin1), whatever its bytes mean. */
export type ReadyBody = Buffer | string;

/** Up to here bytes are kept as text: head and body then leave in one piece. */
const JOINED_BYTES = 16 * 1024;

export function readyHead(headers: Readonly<Record<string, string | number>>): ReadyHead {
  return Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
}

export function readyBody(bytes: Buffer): ReadyBody {
  return bytes.length <= JOINED_BYTES ? bytes.toString('latin1') : bytes;
}

/** Answers with what was made ready, past everything that the server would still do to it. */
export function sendReady(reply: FastifyReply, status: number, head: ReadyHead, body?: ReadyBody): FastifyReply {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(status, head as string[]);
  if (typeof body === 'string') raw.end(body, 'latin1');
  else raw.end(body);
  return reply;
}
