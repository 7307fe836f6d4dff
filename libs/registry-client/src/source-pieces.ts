/** A source's bytes in pieces of one size, but the last. */
export async function* inPieces(source: AsyncIterable<Uint8Array>, pieceBytes: number): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (let part of source) {
    while (size + part.length >= pieceBytes) {
      const fitting = part.subarray(0, pieceBytes - size);
      yield Buffer.concat([...parts, fitting]);
      part = part.subarray(fitting.length);
      [parts, size] = [[], 0];
    }
    if (part.length === 0) continue;
    parts.push(part);
    size += part.length;
  }
  if (size > 0) yield Buffer.concat(parts);
}
