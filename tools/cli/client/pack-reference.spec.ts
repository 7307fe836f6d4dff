import { parseReference, parseVersionReference } from './pack-reference';

describe('parseReference', () => {
  it('reads a pack and a version of one', () => {
    expect(parseReference('acme.hello')).toEqual({ packId: 'acme.hello' });
    expect(parseReference('a@1.0.0-rc.1+build.5')).toEqual({ packId: 'a', version: '1.0.0-rc.1+build.5' });
  });

  it.each([
    ['Acme', 'ERR_PACK_ID_INVALID'],
    ['', 'ERR_PACK_ID_INVALID'],
    ['../x', 'ERR_PACK_ID_INVALID'],
    ['a@', 'ERR_PACK_VERSION_INVALID'],
    ['a@v1.0.0', 'ERR_PACK_VERSION_INVALID'],
    ['a@1.0.0@2.0.0', 'ERR_PACK_VERSION_INVALID'],
  ])('refuses %j', (text, code) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code }));
  });

  it('asks for the version where one is needed', () => {
    expect(() => parseVersionReference('a')).toThrow('a needs a version');
  });
});
