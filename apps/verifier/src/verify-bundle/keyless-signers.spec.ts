import type { VerifyBundleRequest } from '@packs/contracts';
import { canonicalJson, type PolicyRule } from '@packs/domain';
import { aKeylessAuthority, aSigner, type KeylessAuthority } from '@packs/testing';
import { aBundle, aPolicy, aVerifier } from '../evaluation/verifier.fixture';
import { VerifyBundle } from './verify-bundle';

const ISSUER = 'https://issuer.test';
const IDENTITY = 'https://git.test/acme/packs/.ci/release.yml@refs/heads/main';
const BUNDLE = aBundle();
const release = aSigner('release');

describe('a policy that asks for an identity', () => {
  let authority: KeylessAuthority;
  let stranger: KeylessAuthority;
  let signature: Buffer;

  beforeAll(async () => {
    [authority, stranger] = await Promise.all([aKeylessAuthority(), aKeylessAuthority()]);
    signature = await authority.bundle(BUNDLE, { issuer: ISSUER, identity: IDENTITY });
  });

  async function judge(signatures: readonly Buffer[], rule: PolicyRule, roots: readonly object[] = [authority.trustedRoot]) {
    const verifier = aVerifier();
    const request: VerifyBundleRequest = {
      tenant: 'acme',
      packId: 'acme.hello',
      version: '1.0.0',
      channel: 'edge',
      policies: [aPolicy({ rule })],
      evaluatedAt: '2026-01-17T08:00:00.000Z',
      bundle: verifier.blobs.put(BUNDLE),
      signatures: signatures.map(verifier.signature),
      trust: verifier.trust([release.key], 3, roots.map(canonicalJson)),
    };
    const { verdict, faults } = await new VerifyBundle(verifier.blobs, verifier.signatures, verifier.scans).execute(request);
    return { ...verdict, faults };
  }

  const by = (issuer: string, identity: string): PolicyRule => ({ oidcIssuer: { issuer, identity } });

  it('is satisfied by a certificate of a trusted root that names it', async () => {
    const { outcome, identities, faults } = await judge([signature], by(ISSUER, IDENTITY));
    expect(faults).toEqual([]);
    expect(outcome).toBe('accepted');
    expect(identities).toEqual([
      {
        kind: 'certificate',
        name: IDENTITY,
        issuer: ISSUER,
        keyId: expect.stringMatching(/^sha256:/),
        scheme: 'ecdsa-p256-sha256',
        signature: expect.stringMatching(/^sha256:/),
      },
    ]);
  });

  it.each([
    ['another issuer', 'https://other.test', IDENTITY],
    ['the beginning of the identity', ISSUER, IDENTITY.slice(0, -1)],
    ['a pattern of the identity', ISSUER, 'https://git.test/.*'],
    ['both the other way round', IDENTITY, ISSUER],
  ])('is not satisfied by %s', async (_, issuer, identity) => {
    const { outcome, faults } = await judge([signature], by(issuer, identity));
    expect([outcome, faults]).toEqual(['rejected', [expect.objectContaining({ code: 'ERR_PACK_SIGNATURE_UNTRUSTED' })]]);
  });

  it.each([
    ['without a trusted root', () => []],
    ['by the root of others', () => [stranger.trustedRoot]],
  ])('is not satisfied %s', async (_, roots) => {
    const { outcome, checks } = await judge([signature], by(ISSUER, IDENTITY), roots());
    expect(outcome).toBe('rejected');
    expect(checks).toContainEqual(expect.objectContaining({ id: 'signature', outcome: 'fail', reason: 'ERR_PACK_SIGNATURE_UNTRUSTED' }));
  });

  it('is not satisfied by a signature of another bundle', async () => {
    const other = await authority.bundle(Buffer.from('other'), { issuer: ISSUER, identity: IDENTITY });
    const { outcome, checks } = await judge([other], by(ISSUER, IDENTITY));
    expect(outcome).toBe('rejected');
    expect(checks).toContainEqual(expect.objectContaining({ id: 'signature', outcome: 'fail', reason: 'ERR_PACK_SIGNATURE_INVALID' }));
  });

  it('counts two certificates of one identity as one signer, and a key beside them as another', async () => {
    const again = await authority.bundle(BUNDLE, { issuer: ISSUER, identity: IDENTITY });
    const { outcome, identities } = await judge([again, signature, release.bundle(BUNDLE)], {
      anyOf: [{ keyRef: 'release' }, by(ISSUER, IDENTITY)],
    });
    expect(outcome).toBe('accepted');
    expect(identities.map(({ kind }) => kind).toSorted()).toEqual(['certificate', 'key']);
  });

  it('is not satisfied by a key that is named as the identity', async () => {
    expect((await judge([release.bundle(BUNDLE)], by('release', 'release'))).outcome).toBe('rejected');
    expect((await judge([signature], { keyRef: 'release' })).outcome).toBe('rejected');
  });
});
