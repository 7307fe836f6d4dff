import { canonicalJson } from '@packs/domain';
import { publicGoodRoot } from './public-good-root';
import { encodeTrustMaterial, parseTrustMaterial, readTrustMaterial } from './trust-material';
import { authorityIdsOf, MAX_TRUSTED_ROOT_BYTES, parseTrustedRoot } from './trusted-root';
import seeds from '@sigstore/tuf/seeds.json';

const [repository] = Object.values(seeds);
const GOOD = JSON.parse(Buffer.from(repository?.targets['trusted_root.json'] ?? '', 'base64').toString());

type Root = typeof GOOD;

function changed(change: (root: Root) => void): Buffer {
  const root = structuredClone(GOOD);
  change(root);
  return Buffer.from(JSON.stringify(root));
}

describe('a trusted root', () => {
  it('is read with everything it holds', () => {
    const { certificateAuthorities, tlogs, ctlogs, timestampAuthorities } = publicGoodRoot().material;
    const counts = [certificateAuthorities, tlogs, ctlogs, timestampAuthorities].map(({ length }) => length);
    expect(counts).toEqual([GOOD.certificateAuthorities, GOOD.tlogs, GOOD.ctlogs, GOOD.timestampAuthorities].map(({ length }) => length));
  });

  it.each<[string, (root: Root) => void, string]>([
    ['a log without a start', root => delete root.tlogs[0].publicKey.validFor.start, '/tlogs/0/publicKey/validFor/start'],
    ['a log without validity', root => delete root.tlogs[0].publicKey.validFor, '/tlogs/0/publicKey/validFor'],
    ['a certificate log without a start', root => (root.ctlogs[1].publicKey.validFor = {}), '/ctlogs/1/publicKey/validFor/start'],
    ['an authority without a start', root => (root.certificateAuthorities[0].validFor = {}), '/certificateAuthorities/0/validFor/start'],
    ['a clock without a start', root => delete root.timestampAuthorities[0].validFor.start, '/timestampAuthorities/0/validFor/start'],
    ['an end before its start', root => (root.tlogs[0].publicKey.validFor.end = '1999-01-01T00:00:00Z'), '/tlogs/0/publicKey/validFor'],
    ['a date alone', root => (root.tlogs[0].publicKey.validFor.start = '2021-01-12'), '/tlogs/0/publicKey/validFor/start'],
    ['an unknown member', root => (root.tlogs[0].url = 'x'), '/tlogs/0'],
    ['sloppy base64', root => (root.tlogs[0].logId.keyId += '='), '/tlogs/0/logId/keyId'],
    ['an empty chain', root => (root.certificateAuthorities[0].certChain.certificates = []), '/certificateAuthorities/0/certChain'],
    [
      'a clock that is an authority',
      root => root.timestampAuthorities[0].certChain.certificates.shift(),
      '/timestampAuthorities/0/certChain',
    ],
    ['an unknown media type', root => (root.mediaType = 'text/plain'), '/mediaType'],
    ['too many logs', root => (root.tlogs = Array(33).fill(root.tlogs[0])), '/tlogs'],
  ])('with %s is refused there', (_, change, pointer) => {
    expect(() => parseTrustedRoot(changed(change))).toThrow(
      expect.objectContaining({ code: 'ERR_PACK_TRUST_INVALID', errors: [expect.objectContaining({ pointer })] }),
    );
  });

  it.each([
    ['is not JSON', Buffer.from('{')],
    ['has a member twice', Buffer.from('{"mediaType":"a","mediaType":"b"}')],
    ['is too large', Buffer.alloc(MAX_TRUSTED_ROOT_BYTES + 1, ' ')],
    ['has a key that is none', changed(root => (root.tlogs[0].publicKey.rawBytes = 'AAAA'))],
    ['has a certificate that is none', changed(root => (root.certificateAuthorities[0].certChain.certificates[0].rawBytes = 'AAAA'))],
  ])('that %s is refused', (_, content) => {
    expect(() => parseTrustedRoot(content)).toThrow(expect.objectContaining({ code: 'ERR_PACK_TRUST_INVALID' }));
  });

  it('is part of trust material, of its digest and of what it says to trust', () => {
    const material = parseTrustMaterial({ keys: [], trustedRoots: [GOOD] });
    expect(material.trustedRoots).toEqual([canonicalJson(GOOD)]);
    expect(readTrustMaterial(encodeTrustMaterial(material))).toEqual(material);
    expect(authorityIdsOf(material)).toHaveLength(3);
    expect(authorityIdsOf({ keys: [] })).toEqual([]);
    expect(encodeTrustMaterial(parseTrustMaterial({ keys: [], trustedRoots: [] }))).toEqual(encodeTrustMaterial({ keys: [] }));
  });

  it.each([
    ['twice', [GOOD, GOOD], '/trustedRoots'],
    ['more often than may be', Array(5).fill(GOOD), '/trustedRoots'],
    ['as a text', ['x'], '/trustedRoots/0'],
    ['with a fault', [{ ...GOOD, tlogs: 1 }], '/trustedRoots/0/tlogs'],
  ])('%s is refused as trust material', (_, trustedRoots, pointer) => {
    expect(() => parseTrustMaterial({ keys: [], trustedRoots })).toThrow(
      expect.objectContaining({ code: 'ERR_PACK_TRUST_INVALID', errors: [expect.objectContaining({ pointer })] }),
    );
  });
});
