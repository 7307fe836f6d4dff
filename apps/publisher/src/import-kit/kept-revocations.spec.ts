import { sha256, type Revocations } from '@packs/domain';
import { requireRevocations } from './kept-revocations';

const KEY = { keyId: sha256('key'), reason: 'lost' };
const LATER = { ...KEY, since: '2026-02-01T00:00:00Z' };
const EARLIER = { ...KEY, since: '2026-01-01T00:00:00Z' };
const IDENTITY = { issuer: 'https://issuer.test', identity: 'a@b.test', reason: 'left' };
const CONTENT = { digest: sha256('bundle'), reason: 'bad' };

describe('requireRevocations', () => {
  it.each<[string, Revocations | undefined, Revocations | undefined]>([
    ['nothing is revoked', undefined, undefined],
    ['the kit revokes more', undefined, { keys: [KEY] }],
    [
      'both revoke the same',
      { keys: [KEY], identities: [IDENTITY], digests: [CONTENT] },
      { keys: [KEY], identities: [IDENTITY], digests: [CONTENT] },
    ],
    ['the kit revokes it from earlier on', { keys: [LATER] }, { keys: [EARLIER] }],
    ['the kit revokes it altogether', { keys: [LATER] }, { keys: [KEY] }],
  ])('lets keys in when %s', (_, own, brought) => {
    expect(() => requireRevocations(own, brought)).not.toThrow();
  });

  it.each<[string, Revocations, Revocations | undefined]>([
    ['a key', { keys: [KEY] }, undefined],
    ['a key, but from later on', { keys: [EARLIER] }, { keys: [LATER] }],
    ['a key altogether', { keys: [KEY] }, { keys: [LATER] }],
    ['an identity', { identities: [IDENTITY] }, { identities: [{ ...IDENTITY, issuer: 'https://other.test' }] }],
    ['content', { digests: [CONTENT] }, { keys: [KEY] }],
  ])('refuses them when they do not revoke %s', (_, own, brought) => {
    expect(() => requireRevocations(own, brought)).toThrow(
      expect.objectContaining({
        code: 'ERR_PACK_TRUST_INVALID',
        errors: [{ field: 'trust', message: expect.stringContaining('revoked here') as string }],
      }),
    );
  });
});
