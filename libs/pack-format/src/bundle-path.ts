import { DomainError } from '@packs/domain';
import { overLimit, type BundleLimits } from './bundle-limits';

/** Control, format (bidirectional overrides, zero-width) and line separator characters, and the mark of undecodable bytes. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u;

/** Why `path` may not name a file of a pack on every platform, or undefined when it may. */
export function pathFault(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (UNPRINTABLE.test(path)) return 'has control or invisible characters';
  if (!path.isWellFormed() || path.normalize('NFC') !== path) return 'is not in Unicode normalisation form C';
  if (path.includes('\\')) return 'has a backslash';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute';
  const segments = path.split('/');
  if (segments.includes('..')) return 'has a ".." segment';
  if (segments.includes('.')) return 'has a "." segment';
  if (segments.includes('')) return 'has an empty segment';
  return undefined;
}

/** The paths of one bundle: each safe, none twice, none both file and directory, whatever a file system thinks of case. */
export class BundlePaths {
  private readonly known = new Map<string, { readonly path: string; readonly directory: boolean }>();
  private readonly stated = new Set<string>();

  constructor(private readonly limits: BundleLimits) {}

  /** @throws DomainError ERR_PACK_BUNDLE_PATH or ERR_PACK_BUNDLE_LIMIT */
  add(path: string, directory: boolean): void {
    const fault = pathFault(path);
    if (fault) throw refusal(path, fault);
    const bytes = Buffer.byteLength(path);
    if (bytes > this.limits.path) throw overLimit('path', bytes, `a path has more than ${this.limits.path} bytes`);
    const segments = path.split('/');
    if (segments.length > this.limits.depth)
      throw overLimit('depth', segments.length, `a path has more than ${this.limits.depth} segments`);
    if (this.stated.has(path)) throw refusal(path, 'appears twice');
    this.stated.add(path);
    segments.forEach((_, at) => this.claim(segments.slice(0, at + 1).join('/'), directory || at < segments.length - 1));
  }

  private claim(path: string, directory: boolean): void {
    const key = path.toUpperCase().toLowerCase().normalize('NFC');
    const other = this.known.get(key);
    if (!other) this.known.set(key, { path, directory });
    else if (other.path !== path) throw refusal(path, `differs from ${JSON.stringify(other.path)} only in case`);
    else if (other.directory !== directory) throw refusal(path, 'is both a file and a directory');
  }
}

function refusal(path: string, fault: string): DomainError {
  // JSON form, shortened: the path itself may be what attacks the reader of the message.
  return new DomainError('ERR_PACK_BUNDLE_PATH', `path ${JSON.stringify(path.slice(0, 256))} ${fault}`);
}
