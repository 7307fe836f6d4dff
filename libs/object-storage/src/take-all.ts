import { DomainError } from '@packs/domain';
import { isPouring, type ByteSource } from '@packs/ports';
import { youngGarbage } from './young-garbage';

/** What a source gave. */
export interface Taken {
  readonly bytes: number;
  /** The source failed with it. All that it gave before was taken. */
  readonly interrupted?: { readonly cause: unknown };
}

/** Returns a promise only when there is something to wait for: a source gives 16,000 chunks a GiB. */
type Take = (chunk: Uint8Array) => Promise<void> | undefined;

/**
 * Takes what a source gives to its end, or to its failure. A chunk is the source's own: it is not looked at after `take` is through with it.
 * @throws DomainError ERR_PACK_TOO_LARGE
 * @throws whatever `take` does
 */
export async function takeAll(source: ByteSource, maxBytes: number, take: Take): Promise<Taken> {
  let bytes = 0;
  let refused: { readonly cause: unknown } | undefined;
  const refuse = (cause: unknown): never => {
    refused = { cause };
    throw cause;
  };
  const takeOne: Take = chunk => {
    try {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new DomainError('ERR_PACK_TOO_LARGE', `more than ${maxBytes} bytes`, { details: { maxBytes } });
      const taking = take(chunk)?.catch(refuse);
      youngGarbage.add(chunk.length);
      return taking;
    } catch (cause) {
      return refuse(cause);
    }
  };
  try {
    await (isPouring(source) ? source.pour(takeOne) : iterate(source, takeOne));
  } catch (cause) {
    if (refused) throw refused.cause;
    return { bytes, interrupted: { cause } };
  }
  return { bytes };
}

async function iterate(source: AsyncIterable<Uint8Array>, take: Take): Promise<void> {
  for await (const chunk of source) {
    const taking = take(chunk);
    if (taking) await taking;
  }
}
