import { DomainError } from '@packs/domain';
import type { ByteRange } from '@packs/ports';

/**
 * The one range of a Range header (RFC 9110 §14.2), or undefined when the whole is to be sent: without a header, for units other
 * than bytes, for several ranges, or for a header that cannot be read.
 * @throws DomainError ERR_PACK_RANGE when the range lies outside, or ends before it begins
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [first, last] = [match[1] ?? '', match[2] ?? ''];
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start >= size || (first !== '' && last !== '' && Number(last) < Number(first)) || (first === '' && Number(last) === 0)) {
    throw new DomainError('ERR_PACK_RANGE', `the bundle has ${size} bytes`, { details: { size } });
  }
  return { start, end };
}
