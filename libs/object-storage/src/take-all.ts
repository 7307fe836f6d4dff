import { DomainError } from '@packs/domain';

/** What a source gave. */
export interface Taken {
  readonly bytes: number;
  /** The source failed with it. All that it gave before was taken. */
  readonly interrupted?: { readonly cause: unknown };
}

/**
 * Takes what a source gives to its end, or to its failure. `take` returns a promise only when there is something to wait for: a source gives
 * 16,000 chunks a GiB.
 * @throws DomainError ERR_PACK_TOO_LARGE
 * @throws whatever `take` does
 */
export async function takeAll(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
  take: (chunk: Uint8Array) => Promise<void> | undefined,
): Promise<Taken> {
  let bytes = 0;
  let sourceIsAsked = true;
  try {
    for await (const chunk of source) {
      sourceIsAsked = false;
      bytes += chunk.length;
      if (bytes > maxBytes) throw new DomainError('ERR_PACK_TOO_LARGE', `more than ${maxBytes} bytes`, { details: { maxBytes } });
      const taking = take(chunk);
      if (taking) await taking;
      sourceIsAsked = true;
    }
  } catch (cause) {
    if (!sourceIsAsked) throw cause;
    return { bytes, interrupted: { cause } };
  }
  return { bytes };
}
