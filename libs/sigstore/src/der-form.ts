import type { ASN1Obj } from '@sigstore/core';

const SHORT_LENGTH = 0x80;

/**
 * Whether these bytes are the DER form of the object that was read from them: so that nothing in them could be written in another way. If they are,
 * the object and its parts give the bytes they were read from whenever they are asked for their DER, in place of making them anew.
 */
export function holdDer(object: ASN1Obj, der: Buffer): boolean {
  return hold(object, der, 0) === der.length;
}

/** Where the object ends; undefined when it is not in DER. */
function hold(object: ASN1Obj, der: Buffer, from: number): number | undefined {
  const content = der[from] === object.tag.toDER() ? contentAt(der, from + 1) : undefined;
  if (!content || content.end > der.length) return undefined;
  const { start, end } = content;
  if (object.subs.length === 0 && !object.value.equals(der.subarray(start, end))) return undefined;
  let at: number | undefined = object.subs.length === 0 ? end : start;
  for (const part of object.subs) {
    at = hold(part, der, at);
    if (at === undefined || at > end) return undefined;
  }
  // A copy: who asks may change it.
  object.toDER = () => Buffer.from(der.subarray(from, end));
  return at === end ? end : undefined;
}

/** The definite length in the fewest bytes (ITU-T X.690 §10.1). */
function contentAt(der: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = der[at];
  if (first === undefined) return undefined;
  if (first < SHORT_LENGTH) return { start: at + 1, end: at + 1 + first };
  const bytes = first - SHORT_LENGTH;
  const start = at + 1 + bytes;
  if (bytes < 1 || bytes > 4 || start > der.length) return undefined;
  const length = der.readUIntBE(at + 1, bytes);
  return length >= SHORT_LENGTH && der[at + 1] !== 0 ? { start, end: start + length } : undefined;
}
