import { DomainError } from './domain-error';
import { isName, parseChannel, parsePackId, parseTenant } from './identifiers';

const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof DomainError ? error.code : 'another error';
  }
};

describe('names', () => {
  it.each(['a', '0', 'acme', 'acme.hello', 'acme-tools.k8s_scan', '1.2.3'])('%j is one', name => {
    expect([parsePackId(name), parseTenant(name), parseChannel(name)]).toEqual([name, name, name]);
  });

  it.each([
    ['nothing', ''],
    ['upper case', 'Acme'],
    ['a separator first', '.acme'],
    ['a separator last', 'acme-'],
    ['two separators in a row', 'acme..hello'],
    ['mixed separators in a row', 'acme._hello'],
    ['a slash', 'acme/hello'],
    ['a parent folder', '../acme'],
    ['a quote', "acme'"],
    ['a space', 'ac me'],
    ['a line end', 'acme\n'],
    ['a letter outside ASCII', 'acmé'],
    ['a NUL', 'acme\0'],
  ])('refuses %s', (_, name) => {
    expect(codeOf(() => parsePackId(name))).toBe('ERR_PACK_ID_INVALID');
    expect(codeOf(() => parseTenant(name))).toBe('ERR_PACK_REQUEST_INVALID');
    expect(codeOf(() => parseChannel(name))).toBe('ERR_PACK_REQUEST_INVALID');
  });

  it.each([
    ['packId', 128, parsePackId],
    ['tenant', 64, parseTenant],
    ['channel', 64, parseChannel],
  ])('%s may have %i characters and no more', (_, max, parse) => {
    expect(parse('a'.repeat(max))).toHaveLength(max);
    expect(() => parse('a'.repeat(max + 1))).toThrow(DomainError);
  });

  it('names the parameter at fault', () => {
    expect(() => parseTenant('*', 'shareWith')).toThrow(
      expect.objectContaining({ errors: [expect.objectContaining({ field: 'shareWith' })] }),
    );
  });

  it('is answered in linear time for text made to backtrack', () => {
    const text = `${'a-'.repeat(50_000)}!`;
    const started = performance.now();
    expect(isName(text, text.length)).toBe(false);
    expect(performance.now() - started).toBeLessThan(500);
  });

  it.each([undefined, null, 7, ['acme']])('takes %j for no name', value => {
    expect(isName(value, 64)).toBe(false);
  });
});
