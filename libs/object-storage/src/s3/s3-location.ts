const MiB = 1024 * 1024;

/** A bucket, and where in it the store lies. */
export interface S3Location {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly bucket: string;
  /** Before every key: empty, or ending in a slash. */
  readonly prefix: string;
  readonly region: string;
  /** Of each part of a large object but its last. */
  readonly partBytes: number;
}

/** Reads `s3+https://host:port/bucket/prefix?region=…&part=…`, where `part` is in MiB. */
export function s3Location(address: string): S3Location {
  const url = new URL(address);
  const [bucket = '', ...folders] = url.pathname.split('/').filter(Boolean);
  const tls = url.protocol === 's3+https:';
  return {
    host: url.hostname,
    port: Number(url.port || (tls ? 443 : 80)),
    tls,
    bucket,
    prefix: folders.map(folder => `${folder}/`).join(''),
    region: url.searchParams.get('region') ?? 'us-east-1',
    partBytes: Math.floor(Number(url.searchParams.get('part') ?? 8) * MiB),
  };
}
