/** Longest text of a predicate that is shown. */
const MAX_TEXT = 1024;
const MAX_DIGESTS = 8;
/** Places named as left out; there may be more. */
const MAX_LEFT_OUT = 32;

/** Digests by algorithm, as in-toto's DigestSet. */
export type DigestSet = Readonly<Record<string, string>>;

/**
 * Reads single values of a predicate. Whoever signed it may have written anything: a value that has not the form asked for is left out, and its place
 * told. Nothing here throws, and no value grows beyond what a page can show.
 */
export class PredicateReader {
  readonly leftOut: string[] = [];

  object(value: unknown, at: string): Readonly<Record<string, unknown>> {
    if (isObject(value)) return value;
    if (value !== undefined) this.leaveOut(at);
    return {};
  }

  list(value: unknown, at: string): readonly unknown[] {
    if (Array.isArray(value)) return value;
    if (value !== undefined) this.leaveOut(at);
    return [];
  }

  /** One line of text that is what it looks like: without control characters, and without those that change the direction of what follows. */
  text(value: unknown, at: string): string | null {
    if (value === undefined || value === null) return null;
    if (typeof value === 'string' && value !== '' && value.length <= MAX_TEXT && !UNSAFE.test(value) && value.isWellFormed()) return value;
    this.leaveOut(at);
    return null;
  }

  /** RFC 3339 to RFC 3339 in UTC. */
  time(value: unknown, at: string): string | null {
    if (value === undefined || value === null) return null;
    if (typeof value === 'string' && TIME.test(value) && !Number.isNaN(Date.parse(value))) return new Date(value).toISOString();
    this.leaveOut(at);
    return null;
  }

  digests(value: unknown, at: string): DigestSet {
    if (value === undefined || value === null) return {};
    const entries = isObject(value) ? Object.entries(value) : [['', null] as const];
    const good = entries.filter(([name, hex]) => ALGORITHM.test(name) && typeof hex === 'string' && DIGEST_VALUE.test(hex));
    if (good.length < entries.length || good.length > MAX_DIGESTS) this.leaveOut(at);
    return Object.fromEntries(good.slice(0, MAX_DIGESTS)) as DigestSet;
  }

  leaveOut(at: string): void {
    if (this.leftOut.length < MAX_LEFT_OUT && !this.leftOut.includes(at)) this.leftOut.push(at);
  }
}

/** What every reading of a predicate has. */
export interface Read {
  /** Places (JSON pointers) whose values were left out. */
  readonly leftOut: readonly string[];
}

const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const ALGORITHM = /^[A-Za-z][A-Za-z0-9_-]{0,31}$/;
const DIGEST_VALUE = /^[0-9A-Za-z]{1,256}$/;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
