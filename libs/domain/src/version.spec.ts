import { compare } from 'semver';
import { DomainError } from './domain-error';
import {
  compareVersions,
  isPrerelease,
  isVersionRange,
  parseVersion,
  samePrecedence,
  satisfiesRange,
  versionSortKey,
  versionTag,
  withoutBuild,
} from './version';

/** As `collate "C"` orders UTF-8 text. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Deterministic: a failure names the pair, and happens again. */
function aRandom(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function manyVersions(): string[] {
  const random = aRandom(20_260_117);
  const numbers = ['0', '1', '2', '9', '10', '11', '99', '100', '1000', '9007199254740991'];
  const words = ['alpha', 'beta', 'rc', 'a', 'A', 'Z', 'z', 'a-b', 'a1', '0a', '-', '--', '-1', '1-', 'x', 'alpha-1', '00a'];
  const pick = (from: readonly string[]): string => from[random(from.length)] ?? '0';
  const versions = Array.from({ length: 400 }, () => {
    const core = [pick(numbers), pick(numbers.slice(0, 4)), pick(numbers.slice(0, 4))].join('.');
    const identifiers = Array.from({ length: random(5) }, () => pick(random(2) ? numbers : words));
    return identifiers.length > 0 ? `${core}-${identifiers.join('.')}` : core;
  });
  // The example of SemVer 2.0.0 §11.4.
  const example = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
  ];
  return [...new Set([...versions, ...example])];
}

describe('versionSortKey', () => {
  const versions = manyVersions();

  it('orders by bytes as SemVer orders by precedence', () => {
    const keys = new Map(versions.map(version => [version, versionSortKey(version)]));
    const wrong: string[] = [];
    for (const a of versions) {
      for (const b of versions) {
        const wanted = Math.sign(compare(a, b));
        const found = Math.sign(byBytes(keys.get(a) ?? '', keys.get(b) ?? ''));
        if (wanted !== found) wrong.push(`${a} ${'<=>'[wanted + 1]} ${b}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('keeps the order of numbers beyond what a double holds', () => {
    const ascending = ['1.0.0-5', '1.0.0-99999999999999999999', '1.0.0-100000000000000000000', '1.0.0--', '1.0.0-0a', '1.0.0-a'];
    expect(ascending.toSorted((a, b) => byBytes(versionSortKey(a), versionSortKey(b)))).toEqual(ascending);
  });

  it('is text that PostgreSQL keeps as it is', () => {
    for (const version of versions) expect(versionSortKey(version)).toMatch(/^[\x21-\x7e]+$/);
  });

  it('refuses what is no version', () => {
    expect(() => versionSortKey('1.0')).toThrow(DomainError);
  });
});

describe('parseVersion', () => {
  it.each(['0.0.0', '1.2.3', '1.0.0-alpha.1', '1.0.0-0.3.7', '1.0.0-x-y-z.--', '1.0.0+20130313144700', '1.0.0-beta+exp.sha.5114f85'])(
    'accepts %s',
    version => expect(parseVersion(version)).toBe(version),
  );

  it.each([
    '',
    '1',
    '1.2',
    'v1.2.3',
    '=1.2.3',
    ' 1.2.3',
    '1.2.3 ',
    '1.2.3\n',
    '01.2.3',
    '1.2.3-01',
    '1.2.3-',
    '1.2.3+',
    '1.2.3-a..b',
    '1.2.3-é',
    '1.2.3+a_b',
    '1.2.3.4',
    '9007199254740992.0.0',
    `1.0.0-${'a'.repeat(128)}`,
  ])('refuses %j', text => {
    expect(() => parseVersion(text, 'replacement')).toThrow(
      expect.objectContaining({ code: 'ERR_PACK_VERSION_INVALID', errors: [expect.objectContaining({ field: 'replacement' })] }),
    );
  });

  it('accepts 128 characters and no more', () => {
    expect(parseVersion(`1.0.0-${'a'.repeat(122)}`)).toHaveLength(128);
    expect(() => parseVersion(`1.0.0-${'a'.repeat(123)}`)).toThrow(DomainError);
  });
});

describe('build metadata', () => {
  it('has no precedence but makes the order total', () => {
    expect(samePrecedence('1.0.0+a', '1.0.0+b')).toBe(true);
    expect(samePrecedence('1.0.0', '1.0.0-a')).toBe(false);
    expect(compareVersions('1.0.0+a', '1.0.0+b')).toBe(-1);
    expect(compareVersions('1.0.0+a', '1.0.0+a')).toBe(0);
  });

  it('is cut off for identity and written with _ in a tag', () => {
    expect(withoutBuild('1.0.0-rc.1+linux-x64')).toBe('1.0.0-rc.1');
    expect(withoutBuild('1.0.0')).toBe('1.0.0');
    expect(versionTag('1.0.0-rc.1+linux-x64')).toBe('1.0.0-rc.1_linux-x64');
  });
});

describe('ranges', () => {
  it.each([
    ['1.2.3', '^1.0.0', true],
    ['2.0.0', '^1.0.0', false],
    ['1.2.3', '>=1.0.0 <1.2.0 || 1.2.3', true],
    ['1.3.0-rc.1', '^1.0.0', false],
    ['1.3.0-rc.1', '>=1.3.0-rc.0', true],
    ['1.0.0', '*', true],
  ])('%s in %s: %s', (version, range, within) => {
    expect(satisfiesRange(version, range)).toBe(within);
  });

  it('are told from other text', () => {
    expect(['^1.0.0', '1.x', '>=1 <2', '*'].every(isVersionRange)).toBe(true);
    expect(['latest', '^one', `${'>=1.0.0 '.repeat(40)}`].some(isVersionRange)).toBe(false);
  });

  it('know a prerelease', () => {
    expect([isPrerelease('1.0.0-0'), isPrerelease('1.0.0'), isPrerelease('1.0.0+a-b')]).toEqual([true, false, false]);
  });
});
