export interface Part {
  readonly name: string;
  readonly fileName: string;
  readonly mediaType: string;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export function multipartType(boundary: string): string {
  return `multipart/form-data; boundary=${boundary}`;
}

/** A multipart/form-data body (RFC 7578). FormData would do, but tells nobody how much of a file has been sent. */
export async function* encodeMultipart(boundary: string, parts: Iterable<Part>): AsyncGenerator<Uint8Array, void> {
  for (const { name, fileName, mediaType, content } of parts) {
    yield Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${fileName}"\r\ncontent-type: ${mediaType}\r\n\r\n`,
    );
    yield* content;
    yield Buffer.from('\r\n');
  }
  yield Buffer.from(`--${boundary}--\r\n`);
}
