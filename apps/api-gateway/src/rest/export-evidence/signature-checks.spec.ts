import { sha256, type Verdict, type VerifiedIdentity } from '@packs/domain';
import { signatureChecks } from './signature-checks';

const KEY = sha256('key');
const ROOTS = [sha256('root 1'), sha256('root 2')];
const TRUST = sha256('trust');
const DOCUMENT = sha256('document');
const FILES = new Map([[DOCUMENT, 'signatures/d.sigstore.json']]);
const TRUSTED = new Map([[TRUST, { keyIds: new Set([KEY]), roots: ROOTS }]]);

const hex = (digest: string): string => digest.slice('sha256:'.length);
const by = (identity: Partial<VerifiedIdentity>): VerifiedIdentity =>
  ({ kind: 'key', name: 'release', keyId: KEY, scheme: 'ed25519', signature: DOCUMENT, ...identity }) as VerifiedIdentity;
const certificate = (name: string, issuer = 'https://issuer.test') => by({ kind: 'certificate', name, issuer });
const verdict = (identities: readonly VerifiedIdentity[], outcome = 'accepted', digest = TRUST): Verdict =>
  ({ outcome, identities, trust: { digest, epoch: 1 } }) as Verdict;
const checks = (...verdicts: Verdict[]): string => signatureChecks(verdicts, FILES, TRUSTED);

describe('signatureChecks', () => {
  it('names document, key and scheme, once for however many verdicts', () => {
    const line = `key\tsignatures/d.sigstore.json\tkeys/${hex(KEY)}.pem\ted25519\n`;
    expect(checks(verdict([by({})]), verdict([by({})]))).toBe(line);
  });

  it('names identity, issuer and every root that may vouch for a certificate', () => {
    const roots = ROOTS.map(root => `roots/${hex(root)}.json`).join(' ');
    expect(checks(verdict([certificate('https://who.test')]))).toBe(
      `certificate\tsignatures/d.sigstore.json\t${roots}\thttps://who.test\thttps://issuer.test\n`,
    );
  });

  it.each<[string, Verdict]>([
    ['a verdict that refused', verdict([by({})], 'rejected')],
    ['a document that is not given out', verdict([by({ signature: sha256('other') })])],
    ['a key that is not in the trust material', verdict([by({ keyId: sha256('other') })])],
    ['trust material that is not there', verdict([by({})], 'accepted', sha256('other'))],
    ['a name that would end the line', verdict([certificate('a\nkey\tx')])],
    ['an issuer that would end the field', verdict([certificate('a', 'b\tc')])],
  ])('says nothing of %s', (_, one) => expect(checks(one)).toBe(''));
});
