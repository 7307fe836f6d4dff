export function text(value: string): string {
  return value;
}

export function port(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
  throw new Error('must be a port number between 0 and 65535');
}

export function positive(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error('must be a whole number above 0');
}

export function between(least: number, most: number): (value: string) => number {
  return value => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new Error(`must be a whole number from ${least} to ${most}`);
  };
}

export function flag(value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw new Error('must be true or false');
}

export function oneOf<const T extends readonly string[]>(values: T): (value: string) => T[number] {
  return value => {
    if (values.includes(value)) return value;
    throw new Error(`must be one of ${values.join(', ')}`);
  };
}

export function urlOf(...protocols: readonly string[]): (value: string) => string {
  return value => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    if (parsed && protocols.includes(parsed.protocol)) return value.replace(/\/+$/, '');
    throw new Error(`must be a URL with ${protocols.map(protocol => `${protocol}//`).join(' or ')}`);
  };
}

/** A folder, or a bucket of an S3 server and where in it. */
export function blobStoreUrl(value: string): string {
  const parsed = urlOf('file:', 's3+http:', 's3+https:')(value);
  const { protocol, hostname, pathname, username, password, searchParams } = new URL(parsed);
  if (protocol === 'file:') return parsed;
  if (username || password) throw new Error('must name no credentials: BLOB_STORE_ACCESS_KEY and BLOB_STORE_SECRET_KEY do');
  if (!hostname || !/^\/[^/]/.test(pathname)) throw new Error('must name a server and a bucket: s3+https://host:port/bucket/folder');
  const part = Number(searchParams.get('part') ?? 8);
  if (!(part >= 8 && part <= 16)) throw new Error('must have a part of 8 to 16 (MiB)');
  return parsed;
}

/** A registry that may be connected to. */
export interface AllowedRegistry {
  /** Name and, where it has one, port. */
  readonly host: string;
  readonly protocol: 'https:' | 'http:';
  /** Its name may lead to a loopback or private address. */
  readonly allowsPrivate: boolean;
}

/** `registry.example, http://10.0.0.5:5000 private`: TLS unless it says http://, and a public address unless it says private. */
export function registries(value: string): readonly AllowedRegistry[] {
  return value.split(',').map(entry => {
    const [address = '', ...words] = entry.trim().split(/\s+/);
    const text = /^https?:\/\//.test(address) ? address : `https://${address}`;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isBare = url && url.href === `${url.protocol}//${url.host}/` && address !== '';
    if (!url || !isBare || words.some(word => word !== 'private') || words.length > 1) {
      throw new Error(
        'must be registries joined by commas, each [http://]<host>[:<port>] and, where its address is private, the word private',
      );
    }
    return { host: url.host, protocol: url.protocol === 'http:' ? 'http:' : 'https:', allowsPrivate: words.length > 0 };
  });
}

/** `30,7,1`: the longest first. */
export function days(value: string): readonly number[] {
  const given = value.split(',').map(part => Number(part.trim()));
  if (given.length > 8 || given.some(number => !Number.isInteger(number) || number < 1 || number > 3650))
    throw new Error('must be at most 8 numbers of days from 1 to 3650, joined by commas');
  return [...new Set(given)].toSorted((a, b) => b - a);
}
