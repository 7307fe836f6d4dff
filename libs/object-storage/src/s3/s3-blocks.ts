import { DomainError } from '@packs/domain';
import { BLOCK_BYTES } from '../block-checksums';
import { isAbsence, isPassing, unavailable, type S3Bucket } from './s3-bucket';

/** Blocks asked for by one request. */
const SPAN_BLOCKS = 8;

/** What lies under the key is not there, or has another size. */
export class ObjectDamaged extends Error {}

/**
 * The blocks `first` to `last` of an object, whole, in order. A request that breaks off is made again from the first block that is missing.
 * @param size that the object must have
 * @throws ObjectDamaged
 * @throws DomainError ERR_PACK_UNAVAILABLE
 */
export async function* blocksOf(
  bucket: S3Bucket,
  object: { key: string; size: number },
  first: number,
  last: number,
): AsyncGenerator<Buffer> {
  let failed = 0;
  for (let index = first; index <= last;) {
    const until = Math.min(last, index + SPAN_BLOCKS - 1);
    try {
      for await (const block of span(bucket, object, index, until)) {
        failed = 0;
        index++;
        yield block;
      }
    } catch (error) {
      if (isAbsence(error)) throw new ObjectDamaged('not there', { cause: error });
      if (error instanceof DomainError || error instanceof ObjectDamaged) throw error;
      if (!isPassing(error) || ++failed >= bucket.attempts) throw unavailable(error);
      await bucket.backOff(failed - 1);
    }
  }
}

async function* span(bucket: S3Bucket, object: { key: string; size: number }, first: number, last: number): AsyncGenerator<Buffer> {
  const end = Math.min(object.size, (last + 1) * BLOCK_BYTES) - 1;
  const { body, size } = await bucket.get(object.key, first * BLOCK_BYTES, end);
  try {
    if (size !== object.size) throw new ObjectDamaged(`${size} bytes in place of ${object.size}`);
    yield* inBlocks(body, end + 1 - first * BLOCK_BYTES);
  } finally {
    body.destroy();
  }
}

/** Cuts `length` bytes into blocks, the last of which may be shorter. */
async function* inBlocks(body: AsyncIterable<Buffer>, length: number): AsyncGenerator<Buffer> {
  let left = length;
  let block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, left));
  let filled = 0;
  for await (const chunk of body) {
    for (let taken = 0; taken < chunk.length && left > 0;) {
      const copied = chunk.copy(block, filled, taken);
      taken += copied;
      filled += copied;
      if (filled < block.length) continue;
      yield block;
      left -= filled;
      filled = 0;
      block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, left));
    }
  }
  if (left > 0) throw new Error(`the answer ended ${left} bytes too early`);
}
