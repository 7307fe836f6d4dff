import type { Problem, TrustAnswer } from '@packs/contracts';
import { MEDIA_TYPES, type PolicyRule } from '@packs/domain';
import { aKeylessAuthority, eventually, type KeylessAuthority } from '@packs/testing';
import type { Caller } from './caller';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const ISSUER = 'https://issuer.test';
const IDENTITY = 'https://git.test/acme/packs/.ci/release.yml@refs/heads/main';
const RULE: PolicyRule = { oidcIssuer: { issuer: ISSUER, identity: IDENTITY } };

let registry: Registry;
let authority: KeylessAuthority;
let stranger: KeylessAuthority;

beforeAll(async () => {
  [registry, authority, stranger] = await Promise.all([Registry.shared(), aKeylessAuthority(), aKeylessAuthority()]);
});

async function tenantTrusting(...roots: readonly object[]): Promise<Caller> {
  const admin = await registry.caller();
  expect((await admin.put('/api/trust', { keys: [], trustedRoots: roots })).status).toBe(200);
  expect((await admin.policy(RULE)).status).toBe(200);
  return admin;
}

async function publish(admin: Caller, bundle: Bundle, by = authority, identity = IDENTITY) {
  const content = await by.bundle(bundle.bytes, { issuer: ISSUER, identity });
  return admin.publish(bundle, { signatures: [{ mediaType: MEDIA_TYPES.sigstoreBundle, content }] });
}

describe('a pack that somebody signed without a key of their own', () => {
  it('is published when the policy asks for exactly that identity, and says who it was', async () => {
    const admin = await tenantTrusting(authority.trustedRoot);
    const bundle = aBundle(aManifest('keyless'));
    const answer = await publish(admin, bundle);
    expect([answer.status, answer.body.errors]).toEqual([201, undefined]);
    const { signatures, verdict } = (await admin.version(bundle.packId, '1.0.0')).body;
    expect(signatures).toEqual([expect.objectContaining({ keyName: IDENTITY, scheme: 'ecdsa-p256-sha256' })]);
    expect(verdict.identities).toEqual([expect.objectContaining({ kind: 'certificate', name: IDENTITY, issuer: ISSUER })]);
    expect((await admin.bundle(bundle.packId, '1.0.0')).bytes.equals(bundle.bytes)).toBe(true);
    await eventually(async () => {
      expect((await admin.get('/api/compliance/summary')).body).toMatchObject({
        totals: { signatures: { signed: 1, untrusted: 0 } },
      });
    });
  });

  it('is refused when anybody else signed, or an authority of others vouches', async () => {
    const admin = await tenantTrusting(authority.trustedRoot);
    const answers = [
      await publish(admin, aBundle(aManifest('other-identity')), authority, `${IDENTITY}x`),
      await publish(admin, aBundle(aManifest('other-root')), stranger),
    ];
    for (const { status, body } of answers) {
      expect([status, body.code, body.errors?.map(({ code }) => code)]).toEqual([
        422,
        'ERR_PACK_VERDICT_REJECTED',
        ['ERR_PACK_SIGNATURE_UNTRUSTED'],
      ]);
    }
  });

  it('is withdrawn while its root is not trusted, and served again when it is', async () => {
    const admin = await tenantTrusting(authority.trustedRoot);
    const bundle = aBundle(aManifest('withdrawn-keyless'));
    expect((await publish(admin, bundle)).status).toBe(201);
    const code = async () => (await admin.get<Problem>(`/api/packs/${bundle.packId}/versions/1.0.0`)).body.code;
    expect((await admin.put('/api/trust', { keys: [], trustedRoots: [stranger.trustedRoot] })).body).toMatchObject({ epoch: 2 });
    expect(await code()).toBe('ERR_PACK_WITHDRAWN');
    const without = (await admin.put<TrustAnswer>('/api/trust', { keys: [] })).body;
    expect([without.epoch, without.trustedRoots]).toEqual([3, undefined]);
    expect(await code()).toBe('ERR_PACK_WITHDRAWN');
    const both = [stranger.trustedRoot, authority.trustedRoot];
    expect((await admin.put('/api/trust', { keys: [], trustedRoots: both })).body).toMatchObject({ epoch: 4 });
    expect(await code()).toBeUndefined();
  });
});

describe('the trusted roots of a tenant', () => {
  it('are shown as they were given, have one digest in any order, and are kept apart from keys', async () => {
    const admin = await tenantTrusting(authority.trustedRoot, stranger.trustedRoot);
    const shown = (await admin.get<TrustAnswer>('/api/trust')).body;
    expect(shown.trustedRoots).toHaveLength(2);
    expect(shown.trustedRoots).toEqual(expect.arrayContaining([authority.trustedRoot, stranger.trustedRoot]));
    const again = await admin.put<TrustAnswer>('/api/trust', { keys: [], trustedRoots: [stranger.trustedRoot, authority.trustedRoot] });
    expect(again.body).toMatchObject({ epoch: shown.epoch, digest: shown.digest });
    const { name, publicKey, scheme } = new SigningKey('release', 'ed25519');
    const both = { keys: [{ name, publicKey, scheme }], trustedRoots: [authority.trustedRoot] };
    expect((await admin.put<TrustAnswer>('/api/trust', both)).body).toMatchObject({
      keys: [{ name }],
      trustedRoots: [authority.trustedRoot],
    });
  });

  it.each([
    ['that is not one', () => [{}], '/trustedRoots/0/mediaType'],
    ['with something left over', () => [{ ...authority.trustedRoot, extra: 1 }], '/trustedRoots/0'],
    ['without a start of validity', () => [withoutStart()], '/trustedRoots/0/tlogs/0/publicKey/validFor/start'],
    ['that is there twice', () => [authority.trustedRoot, authority.trustedRoot], '/trustedRoots'],
  ])('are refused with one %s', async (_, roots, pointer) => {
    const admin = await registry.caller();
    const { status, body } = await admin.put<Problem>('/api/trust', { keys: [], trustedRoots: roots() });
    expect([status, body.code, body.errors?.[0]?.pointer]).toEqual([400, 'ERR_PACK_TRUST_INVALID', pointer]);
  });

  it('are none for exporters of kits', async () => {
    const admin = await registry.caller();
    const { status } = await admin.put('/api/exporters', { keys: [], trustedRoots: [authority.trustedRoot] });
    expect(status).toBe(400);
  });

  it.each([
    [{ oidcIssuer: { issuer: ISSUER } }, '/rule/oidcIssuer'],
    [{ oidcIssuer: { issuer: ISSUER, identity: '' } }, '/rule/oidcIssuer/identity'],
    [{ oidcIssuer: { issuer: 'with a space', identity: IDENTITY } }, '/rule/oidcIssuer/issuer'],
  ])('are asked for by whole identities, not by %j', async (rule, pointer) => {
    const { status, body } = await (await registry.caller()).put<Problem>('/api/policies/default', { rule });
    expect([status, body.code, body.errors?.[0]?.pointer]).toEqual([400, 'ERR_PACK_POLICY_INVALID', pointer]);
  });
});

function withoutStart(): object {
  const root = JSON.parse(JSON.stringify(authority.trustedRoot));
  delete root.tlogs[0].publicKey.validFor.start;
  return root;
}
