import { createHash } from 'node:crypto';
import { sha256 } from '@packs/domain';
import { readStatementAbout } from './in-toto-statement';
import { statementAbout } from './signer.fixture';

const BUNDLE = Buffer.from('the bytes of a bundle');
const MANIFEST = Buffer.from('the bytes of its manifest');
const sha512 = (bytes: Buffer) => createHash('sha512').update(bytes).digest('hex');
const bySha512 = (bytes: Buffer) => statementAbout(bytes, { subject: [{ name: 'pack', digest: { sha512: sha512(bytes) } }] });

describe('readStatementAbout', () => {
  const manifest = { digest: sha256(MANIFEST), bytes: MANIFEST };

  it('takes a statement that names either artifact by SHA-512 alone, where its bytes are at hand', () => {
    const bundle = { digest: sha256(BUNDLE), bytes: BUNDLE };
    for (const bytes of [BUNDLE, MANIFEST]) expect(readStatementAbout(bySha512(bytes), [bundle, manifest]).predicateType).not.toBe('');
  });

  it('asks for the bytes of the artifact that has none, also beside one that has them', () => {
    const bundle = { digest: sha256(BUNDLE) };
    expect(() => readStatementAbout(bySha512(BUNDLE), [bundle, manifest])).toThrow(
      expect.objectContaining({ code: 'subject-bytes-needed' }),
    );
  });

  it('judges a SHA-512 beside the right SHA-256 in one way, whether the bytes are at hand, hashed or still to be had', () => {
    const digest = { sha256: sha256(BUNDLE).slice(7), sha512: sha512(BUNDLE) };
    const [right, wrong] = [digest, { ...digest, sha512: sha512(MANIFEST) }].map(set =>
      statementAbout(BUNDLE, { subject: [{ digest: set }] }),
    );
    const hashes = { sha384: '', sha512: sha512(BUNDLE) };
    for (const known of [{ bytes: BUNDLE }, { hashes }]) {
      const bundle = { digest: sha256(BUNDLE), ...known };
      expect(readStatementAbout(right ?? BUNDLE, [bundle, manifest]).predicateType).not.toBe('');
      expect(() => readStatementAbout(wrong ?? BUNDLE, [bundle, manifest])).toThrow(expect.objectContaining({ code: 'subject-mismatch' }));
    }
    for (const statement of [right, wrong]) {
      const asking = () => readStatementAbout(statement ?? BUNDLE, [{ digest: sha256(BUNDLE) }, manifest]);
      expect(asking).toThrow(expect.objectContaining({ code: 'subject-bytes-needed' }));
    }
  });

  it('leaves a SHA-512 alone where nobody will ever have the bytes, and does not take it for the SHA-256', () => {
    const recorded = { digest: sha256(BUNDLE), hashes: 'unknown' } as const;
    const both = statementAbout(BUNDLE, { subject: [{ digest: { sha256: sha256(BUNDLE).slice(7), sha512: sha512(MANIFEST) } }] });
    expect(readStatementAbout(both, [recorded]).predicateType).not.toBe('');
    expect(() => readStatementAbout(bySha512(BUNDLE), [recorded])).toThrow(expect.objectContaining({ code: 'subject-bytes-needed' }));
  });

  it('refuses a subject whose digests are of two artifacts', () => {
    const mixed = statementAbout(BUNDLE, { subject: [{ digest: { sha256: sha256(BUNDLE).slice(7), sha512: sha512(MANIFEST) } }] });
    const bundle = { digest: sha256(BUNDLE), bytes: BUNDLE };
    expect(() => readStatementAbout(mixed, [bundle, manifest])).toThrow(expect.objectContaining({ code: 'subject-mismatch' }));
  });
});
