import { BundleSource } from './bundle-source';
import { inPieces } from './verifier.fixture';

const neverEnds = new AbortController().signal;

async function lengthOf(source: BundleSource): Promise<number> {
  let length = 0;
  for await (const chunk of source.bytes()) length += chunk.length;
  return length;
}

describe('BundleSource', () => {
  it.each([
    ['keeps a small bundle', 4 * 1024 * 1024, 1],
    ['streams a larger one anew', 4 * 1024 * 1024 + 1, 3],
  ])('%s', async (_, size, reads) => {
    const blobs = inPieces();
    const source = new BundleSource(blobs, blobs.put(Buffer.alloc(size)), neverEnds);
    expect(await source.isProven()).toBe(true);
    expect([await lengthOf(source), await lengthOf(source)]).toEqual([size, size]);
    expect(blobs.reads).toHaveLength(reads);
  });

  it('does not read on past the size it expects', async () => {
    const blobs = inPieces();
    const ref = blobs.put(Buffer.alloc(10));
    let given = 0;
    blobs.read = async function* () {
      for (; ; given++) yield Buffer.alloc(10);
    };
    expect(await new BundleSource(blobs, ref, neverEnds).isProven()).toBe(false);
    expect(given).toBe(1);
  });
});
