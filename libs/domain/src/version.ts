import { compare, compareBuild, parse, satisfies, validRange } from 'semver';
import { DomainError } from './domain-error';

export const VERSION_MAX = 128;

/** @throws DomainError ERR_PACK_VERSION_INVALID unless `text` is exactly a SemVer 2.0.0 version (no `v`, no spaces) */
export function parseVersion(text: string, field = 'version'): string {
  const parsed = text.length <= VERSION_MAX ? parse(text, { loose: false }) : null;
  if (parsed && canonical(parsed) === text) return text;
  throw new DomainError('ERR_PACK_VERSION_INVALID', `${field} must be a SemVer 2.0.0 version of at most ${VERSION_MAX} characters`, {
    errors: [{ field, message: 'not a SemVer 2.0.0 version' }],
  });
}

function canonical(parsed: { version: string; build: readonly string[] }): string {
  return parsed.build.length > 0 ? `${parsed.version}+${parsed.build.join('.')}` : parsed.version;
}

/** SemVer precedence; build metadata breaks ties so that the order is total. */
export function compareVersions(a: string, b: string): number {
  return compareBuild(a, b);
}

/** True when both differ at most in build metadata, which SemVer gives no precedence (spec §10). */
export function samePrecedence(a: string, b: string): boolean {
  return compare(a, b) === 0;
}

/** The version without its build metadata. */
export function withoutBuild(version: string): string {
  return version.split('+', 1)[0] ?? version;
}

/** OCI tags have no `+`; Helm and this registry write `_` in its place. */
export function versionTag(version: string): string {
  return version.replace('+', '_');
}

export function isPrerelease(version: string): boolean {
  return (parse(version)?.prerelease.length ?? 0) > 0;
}

export function isVersionRange(text: string): boolean {
  return text.length <= 256 && validRange(text) !== null;
}

/** Pre-releases satisfy a range only when the range itself names one, as npm and Helm do. */
export function satisfiesRange(version: string, range: string): boolean {
  return satisfies(version, range);
}

/**
 * A text whose plain byte order (`collate "C"`) is SemVer precedence (spec §11), so that an index can sort versions.
 * Numbers are written with their length first; a release sorts after all of its pre-releases.
 */
export function versionSortKey(version: string): string {
  const parsed = parse(version);
  if (!parsed) throw new DomainError('ERR_PACK_VERSION_INVALID', `not a SemVer version: ${version}`);
  const core = [parsed.major, parsed.minor, parsed.patch].map(numberKey).join('.');
  // semver leaves numbers a double cannot hold as text; they are numbers all the same.
  const identifiers = parsed.prerelease.map(part => (/^[0-9]+$/.test(String(part)) ? `1${numberKey(part)}` : `2${part}`));
  // '!' sorts below every identifier character, so a shorter list of equal identifiers comes first; '~' sorts above all.
  const pre = identifiers.length > 0 ? identifiers.map(part => `${part}!`).join('') : '~';
  return `${core}-${pre}+${parsed.build.join('.')}`;
}

/** `z` for every 26 digits, then a letter for the rest, so that longer numbers come later. */
function numberKey(value: number | string): string {
  const digits = String(value);
  return 'z'.repeat((digits.length - 1) / 26) + String.fromCharCode(97 + ((digits.length - 1) % 26)) + digits;
}
