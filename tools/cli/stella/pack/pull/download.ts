import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { DomainError, type Digest } from '@packs/domain';
import { reasonOf } from '../../../client/http';
import type { Progress } from '../../../terminal/progress';

interface WantedBytes {
  /** What the file will be called; the download itself is `<file>.part`. */
  readonly file: string;
  readonly digest: Digest;
  readonly size: number;
}

type Fetch = (headers: Record<string, string>) => Promise<Response>;

/**
 * Fetches bytes into `<file>.part`, behind what an interrupted run has left there, and proves their digest.
 * @returns the path of the part
 * @throws DomainError ERR_PACK_DIGEST_MISMATCH, after which no part is left; ERR_PACK_UNAVAILABLE, after which the next run goes on
 */
export async function download(fetch: Fetch, wanted: WantedBytes, progressFrom: (start: number) => Progress): Promise<string> {
  const part = `${wanted.file}.part`;
  const left = await readPart(part, wanted.size);
  const found = await complete(fetch, wanted, part, left, progressFrom);
  if (found === wanted.digest) return part;
  await rm(part, { force: true });
  // What was left may have been of something else.
  if (left.length > 0) return download(fetch, wanted, progressFrom);
  throw new DomainError('ERR_PACK_DIGEST_MISMATCH', `what was received has the digest ${found} and not ${wanted.digest}`);
}

interface Left {
  readonly length: number;
  readonly hash: Hash;
}

async function readPart(part: string, size: number): Promise<Left> {
  const known = await stat(part).catch(() => undefined);
  const hash = createHash('sha256');
  if (!known || known.size > size) return { length: 0, hash };
  for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer);
  return { length: known.size, hash };
}

async function complete(
  fetch: Fetch,
  wanted: WantedBytes,
  part: string,
  left: Left,
  progressFrom: (start: number) => Progress,
): Promise<Digest> {
  if (left.length === wanted.size) return digestOf(left.hash);
  // If-Range (RFC 9110 §13.1.5): the rest of these very bytes, or all of whatever is there now.
  const resume = left.length > 0 ? { range: `bytes=${left.length}-`, 'if-range': `"${wanted.digest}"` } : undefined;
  const response = await fetch({ accept: '*/*', ...resume });
  const resumed = response.status === 206 && startOf(response) === left.length;
  if (response.status === 206 && !resumed) throw new DomainError('ERR_PACK_UNAVAILABLE', 'the registry sent another range than asked for');
  const start = resumed ? left.length : 0;
  const hash = resumed ? left.hash : createHash('sha256');
  await append(part, start, receive(response, wanted.size - start), hash, progressFrom(start));
  return digestOf(hash);
}

function startOf(response: Response): number {
  return Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? NaN);
}

async function append(part: string, start: number, chunks: AsyncIterable<Uint8Array>, hash: Hash, progress: Progress): Promise<void> {
  const handle = await open(part, start === 0 ? 'w' : 'a');
  try {
    for await (const chunk of progress.count(chunks)) {
      hash.update(chunk);
      await handle.writeFile(chunk);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function* receive(response: Response, expected: number): AsyncGenerator<Uint8Array, void> {
  let received = 0;
  const cut = (cause?: unknown): DomainError =>
    new DomainError('ERR_PACK_UNAVAILABLE', `the transfer was cut${cause ? ` (${reasonOf(cause)})` : ''}; run it again to go on`, {
      retry: 'later',
      cause,
    });
  const chunks = (response.body ?? []) as AsyncIterable<Uint8Array>;
  const iterator = chunks[Symbol.asyncIterator]();
  for (;;) {
    const next = await iterator.next().catch((cause: unknown) => {
      throw cut(cause);
    });
    if (next.done) break;
    received += next.value.byteLength;
    if (received > expected) throw new DomainError('ERR_PACK_DIGEST_MISMATCH', 'the registry sent more bytes than the bundle has');
    yield next.value;
  }
  if (received < expected) throw cut();
}

function digestOf(hash: Hash): Digest {
  return `sha256:${hash.copy().digest('hex')}`;
}
