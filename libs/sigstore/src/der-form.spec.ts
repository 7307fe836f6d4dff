import { ASN1Obj } from '@sigstore/core';
import { holdDer } from './der-form';
import { random } from './mutations.fixture';

const read = (hex: string) => {
  const der = Buffer.from(hex, 'hex');
  return { der, object: ASN1Obj.parseBuffer(Buffer.from(der)) };
};
/** A sequence of an integer, an octet string that holds a null, and a context-specific part with 130 bytes. */
const NESTED = `3081 8d 020105 0402 0500 a1 8183 0481 80${'ab'.repeat(128)}`.replaceAll(' ', '');

describe('holdDer', () => {
  it.each(['0500', '020105', '3000', '3003020105', NESTED])('takes %s, and gives back what was read', hex => {
    const { der, object } = read(hex);
    const made = object.toDER();
    expect(holdDer(object, der)).toBe(true);
    expect(object.toDER()).toEqual(der);
    expect(made).toEqual(der);
  });

  it('gives copies, of the parts as well', () => {
    const { der, object } = read(NESTED);
    holdDer(object, der);
    const [part] = object.subs;
    part?.toDER().fill(0);
    object.toDER().fill(0);
    expect(part?.toDER().toString('hex')).toBe('020105');
    expect(object.toDER()).toEqual(der);
  });

  it.each([
    ['another value', '020105', '020106'],
    ['another tag', '020105', '040105'],
    ['more behind it', '020105', '02010500'],
    ['less than it has', '020105', '0201'],
    ['a part more', '3003020105', '30050201050500'],
    ['a length in more bytes than it needs', '020105', '02810105'],
    ['a length without an end', '020105', '028005'],
    ['nothing', '020105', ''],
  ])('does not take an object for bytes with %s', (_, hex, other) => {
    expect(holdDer(read(hex).object, Buffer.from(other, 'hex'))).toBe(false);
  });

  it('says of any change what making it anew says', () => {
    const next = random(20_261_123);
    let taken = 0;
    for (let round = 0; round < 4000; round++) {
      const der = Buffer.from(NESTED, 'hex');
      const at = Math.floor(next() * der.length);
      der[at] = Math.floor(next() * 256);
      let object: ASN1Obj;
      try {
        object = ASN1Obj.parseBuffer(Buffer.from(der));
      } catch {
        continue;
      }
      const expected = object.toDER().equals(der);
      expect([at, der[at], holdDer(object, der)]).toEqual([at, der[at], expected]);
      taken += expected ? 1 : 0;
    }
    expect(taken).toBeGreaterThan(1000);
  });
});
