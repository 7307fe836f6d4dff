/** Decodes RFC 4648 §4 base64 with padding and zero pad bits; undefined for any other spelling, so that one value has one text. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
