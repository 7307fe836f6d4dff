/** One part of a multipart/form-data body. Without a file name it is a field. */
export interface Part {
  readonly name: string;
  readonly file?: string;
  readonly type?: string;
  readonly content: Uint8Array | string;
}

const BOUNDARY = 'a-boundary-that-is-in-no-part';

/** RFC 7578, written out so that tests can send what a well-meant library would not. */
export function multipart(parts: readonly Part[]): { readonly contentType: string; readonly body: Buffer } {
  const pieces = parts.flatMap(({ name, file, type, content }) => [
    Buffer.from(
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"${file === undefined ? '' : `; filename="${file}"`}\r\n` +
        `${type === undefined ? '' : `content-type: ${type}\r\n`}\r\n`,
    ),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return { contentType: `multipart/form-data; boundary=${BOUNDARY}`, body: Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]) };
}
