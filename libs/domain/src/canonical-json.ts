import canonicalize from 'canonicalize';
import { sha256, type Digest } from './digest';

/** RFC 8785 JSON: one byte sequence for one value, whatever the order of its members. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('value has no JSON form');
  return text;
}

/** SHA-256 of the RFC 8785 form. */
export function canonicalDigest(value: unknown): Digest {
  return sha256(canonicalJson(value));
}
