import { canonicalDigest, canonicalJson } from './canonical-json';
import { digestHex, isDigest, parseDigest, sha256 } from './digest';
import { DomainError } from './domain-error';

const ABC = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

describe('Digest', () => {
  it('is the SHA-256 of the bytes (FIPS 180-4 example)', () => {
    expect(sha256('abc')).toBe(ABC);
    expect(sha256(Buffer.from('abc'))).toBe(ABC);
    expect(digestHex(sha256('abc'))).toBe(ABC.slice(7));
  });

  it('accepts its one spelling', () => {
    expect(parseDigest(ABC)).toBe(ABC);
  });

  it.each([
    ['nothing', ''],
    ['no algorithm', ABC.slice(7)],
    ['another algorithm', ABC.replace('sha256', 'sha512')],
    ['upper-case hex', `sha256:${ABC.slice(7).toUpperCase()}`],
    ['a digit too few', ABC.slice(0, -1)],
    ['a digit too many', `${ABC}0`],
    ['a line end', `${ABC}\n`],
    ['a space before', ` ${ABC}`],
  ])('refuses %s', (_, text) => {
    expect(isDigest(text)).toBe(false);
    const refuse = () => parseDigest(text, 'manifestDigest');
    expect(refuse).toThrow(DomainError);
    expect(refuse).toThrow(
      expect.objectContaining({ code: 'ERR_PACK_DIGEST_INVALID', errors: [{ field: 'manifestDigest', message: 'not a sha256 digest' }] }),
    );
  });

  it.each([undefined, null, 7, [ABC]])('takes %j for no digest', value => {
    expect(isDigest(value)).toBe(false);
  });
});

describe('canonicalJson', () => {
  it('is RFC 8785: members sorted by UTF-16 code units, no spaces, shortest numbers', () => {
    const value = {
      '€': 'Euro',
      '\r': 'CR',
      '1': 'One',
      '😂': 'Smiley',
      ö: 'o',
      numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 1e-27, -0],
    };
    expect(canonicalJson(value)).toBe(
      '{"\\r":"CR","1":"One","numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"ö":"o","€":"Euro","😂":"Smiley"}',
    );
  });

  it('does not depend on the order of members', () => {
    expect(canonicalDigest({ a: 1, b: { c: [1, 2], d: null } })).toBe(canonicalDigest({ b: { d: null, c: [1, 2] }, a: 1 }));
    expect(canonicalDigest([1, 2])).not.toBe(canonicalDigest([2, 1]));
  });

  it('leaves out what is undefined', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  it('refuses what has no JSON form', () => {
    expect(() => canonicalJson(undefined)).toThrow(TypeError);
    expect(() => canonicalJson({ a: Number.NaN })).toThrow();
  });
});
