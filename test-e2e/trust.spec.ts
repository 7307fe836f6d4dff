import type { Problem, VersionView } from '@packs/contracts';
import { eventually } from '@packs/testing';
import type { Caller } from './caller';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SCHEMES, SigningKey } from './signing-key';

let registry: Registry;

beforeAll(async () => {
  registry = await Registry.shared();
});

/** A tenant that trusts these keys, any of which satisfies its policy. */
async function tenantTrusting(...keys: readonly SigningKey[]): Promise<Caller> {
  const admin = await registry.caller();
  expect((await admin.trust(...keys)).status).toBe(200);
  expect((await admin.policy({ anyOf: keys.map(({ name }) => ({ keyRef: name })) })).status).toBe(200);
  return admin;
}

async function publish(admin: Caller, bundle: Bundle, key: SigningKey, form: 'sigstore' | 'dsse' | 'raw' = 'sigstore') {
  return admin.publish(bundle, { signatures: [key[form](bundle.bytes)] });
}

const ROUTES = (packId: string) => [
  `/api/packs/${packId}/versions/1.0.0`,
  `/api/packs/${packId}/versions/1.0.0/signatures`,
  `/api/packs/${packId}/versions/1.0.0/bundle`,
  `/packs/${packId}/1.0.0`,
];

async function expectServed(admin: Caller, bundle: Bundle): Promise<void> {
  for (const path of ROUTES(bundle.packId)) expect([path, (await admin.get(path)).status]).toEqual([path, 200]);
  expect((await admin.bundle(bundle.packId, '1.0.0')).bytes.equals(bundle.bytes)).toBe(true);
}

async function expectWithdrawn(admin: Caller, { packId }: Bundle, reason: string): Promise<void> {
  for (const path of ROUTES(packId)) {
    const { status, body } = await admin.get<Problem & { reasons: string[] }>(path);
    expect([path, status, body.code, body.reasons]).toEqual([path, 403, 'ERR_PACK_WITHDRAWN', [reason]]);
    expect(body.errors).toContainEqual(expect.objectContaining({ code: reason }));
  }
}

describe('a signature by a trusted key is accepted', () => {
  const keys = SCHEMES.map(scheme => new SigningKey(`key-${scheme}`, scheme));
  let admin: Caller;
  beforeAll(async () => {
    admin = await tenantTrusting(...keys);
  });

  it.each(keys.flatMap(key => (['sigstore', 'dsse', 'raw'] as const).map(form => [key.scheme, form, key] as const)))(
    '%s as %s',
    async (scheme, form, key) => {
      const bundle = aBundle(aManifest(`by-${scheme}-${form}`));
      const answer = await publish(admin, bundle, key, form);
      expect([answer.status, answer.body.errors]).toEqual([201, undefined]);
      const { signatures, verdict } = (await admin.version(bundle.packId, '1.0.0')).body;
      expect(signatures).toEqual([expect.objectContaining({ keyName: key.name, keyId: key.keyId, scheme })]);
      expect(verdict.identities).toEqual([expect.objectContaining({ kind: 'key', name: key.name, keyId: key.keyId, scheme })]);
    },
  );

  it('but not under another scheme than the key is trusted for', async () => {
    const [pkcs1] = keys;
    if (!pkcs1) throw new Error('no key');
    const other = await registry.caller();
    await other.put('/api/trust', { keys: [{ name: 'rsa', publicKey: pkcs1.publicKey, scheme: 'rsa-pss-sha256' }] });
    await other.policy({ keyRef: 'rsa' });
    const refused = await publish(other, aBundle(aManifest('other-scheme')), pkcs1);
    expect([refused.status, refused.body.code]).toEqual([422, 'ERR_PACK_VERDICT_REJECTED']);
  });
});

describe('a signed pack is validated by the RSA verifier on retrieval', () => {
  it('withdrawn while its key is not trusted, its bytes kept, and served again when the key is back', async () => {
    const [release, other] = [new SigningKey('release', 'rsa-pkcs1-sha256'), new SigningKey('other', 'rsa-pkcs1-sha256')];
    const admin = await tenantTrusting(release);
    const bundle = aBundle(aManifest('retrieved'));
    expect((await publish(admin, bundle, release)).status).toBe(201);
    await expectServed(admin, bundle);

    const withdrawnBefore = await registry.metric('api-gateway', 'registry_pack_withdrawn_reads_total');
    expect((await admin.trust(other)).body).toMatchObject({ epoch: 2 });
    await expectWithdrawn(admin, bundle, 'ERR_PACK_SIGNATURE_UNTRUSTED');
    expect(await registry.metric('api-gateway', 'registry_pack_withdrawn_reads_total')).toBe(withdrawnBefore + 4);
    const stored = await registry.sql('select 1 from content.blobs where digest = $1', [bundle.digest]);
    expect(stored).toHaveLength(1);

    expect((await admin.trust(release, other)).body).toMatchObject({ epoch: 3 });
    await expectServed(admin, bundle);
  });

  it('withdrawn when another key takes the name of the one that signed', async () => {
    const admin = await tenantTrusting(new SigningKey('unused'));
    const release = new SigningKey('release', 'rsa-pss-sha256');
    await admin.accept(release);
    const bundle = aBundle(aManifest('impostor'));
    expect((await publish(admin, bundle, release)).status).toBe(201);
    await admin.trust(new SigningKey('release', 'rsa-pss-sha256'));
    for (const path of ROUTES('impostor')) expect((await admin.get(path)).body['code']).toBe('ERR_PACK_WITHDRAWN');
    await admin.trust();
    for (const path of ROUTES('impostor')) expect((await admin.get(path)).body['code']).toBe('ERR_PACK_WITHDRAWN');
    await admin.trust(release);
    await expectServed(admin, bundle);
  });

  it('judged by the policy that accepted it: a later policy speaks of later publishes', async () => {
    const [first, second] = [new SigningKey('first'), new SigningKey('second')];
    const admin = await tenantTrusting(first);
    const bundle = aBundle(aManifest('under-first'));
    await publish(admin, bundle, first);
    await admin.trust(first, second);
    expect((await admin.policy({ keyRef: 'second' })).body).toMatchObject({ version: 2 });
    await expectServed(admin, bundle);
    const refused = await publish(admin, aBundle(aManifest('under-second')), first);
    expect([refused.status, refused.body.code]).toEqual([422, 'ERR_PACK_VERDICT_REJECTED']);
  });

  it('never served unverified: 503 while no verifier answers after a change of trust, served when one is back', async () => {
    const key = new SigningKey('release', 'rsa-pkcs1-sha256');
    const admin = await tenantTrusting(key);
    const bundle = aBundle(aManifest('unverifiable'));
    await publish(admin, bundle, key);
    await registry.part('verifier').without(async () => {
      // Verified under the epoch that still holds: there is nothing to ask.
      await expectServed(admin, bundle);
      expect((await admin.trust(key, new SigningKey('another'))).status).toBe(200);
      for (const path of ROUTES('unverifiable')) {
        const { status, body } = await admin.get<Problem>(path);
        expect([path, status, body.code]).toEqual([path, 503, 'ERR_PACK_UNAVAILABLE']);
      }
      const refused = await publish(admin, aBundle(aManifest('unverifiable-too')), key);
      expect([refused.status, refused.body.code]).toEqual([503, 'ERR_PACK_UNAVAILABLE']);
      expect((await admin.get('/api/packs/unverifiable-too')).status).toBe(404);
    });
    await eventually(() => expectServed(admin, bundle));
    await eventually(async () => expect((await publish(admin, aBundle(aManifest('unverifiable-too')), key)).status).toBe(201));
  });
});

describe('the signing policy', () => {
  it('anyOf is satisfied by any of its keys, and by none that it does not name', async () => {
    const [a, b, c] = [new SigningKey('a'), new SigningKey('b', 'ed25519'), new SigningKey('c')];
    const admin = await tenantTrusting(a, b, c);
    await admin.policy({ anyOf: [{ keyRef: 'a' }, { anyOf: [{ keyRef: 'b' }] }] });
    expect((await publish(admin, aBundle(aManifest('by-a')), a)).status).toBe(201);
    expect((await publish(admin, aBundle(aManifest('by-b')), b)).status).toBe(201);
    const refused = await publish(admin, aBundle(aManifest('by-c')), c);
    expect([refused.status, refused.body.errors]).toEqual([422, [expect.objectContaining({ code: 'ERR_PACK_SIGNATURE_UNTRUSTED' })]]);
    const both = aBundle(aManifest('by-both'));
    const answer = await admin.publish(both, { signatures: [c.sigstore(both.bytes), a.raw(both.bytes)] });
    expect(answer.status).toBe(201);
  });

  it('a valid signature beside one that is not by a trusted key suffices', async () => {
    const [known, unknown] = [new SigningKey('known'), new SigningKey('unknown')];
    const admin = await tenantTrusting(known);
    const bundle = aBundle(aManifest('mixed'));
    expect((await publish(admin, aBundle(aManifest('mixed')), unknown)).status).toBe(422);
    const answer = await admin.publish(bundle, { signatures: [unknown.sigstore(bundle.bytes), known.sigstore(bundle.bytes)] });
    expect(answer.status).toBe(201);
    const { signatures } = (await admin.version('mixed', '1.0.0')).body;
    expect(signatures.map(({ keyName }) => keyName).toSorted()).toEqual(['known', null]);
  });

  it('the most specific one decides: for a type, else for a channel, else for all', async () => {
    const keys = ['for-all', 'for-channel', 'for-type'].map(name => new SigningKey(name));
    const [forAll, forChannel, forType] = keys as [SigningKey, SigningKey, SigningKey];
    const admin = await tenantTrusting(...keys);
    await admin.policy({ keyRef: 'for-all' });
    await admin.policy({ keyRef: 'for-channel' }, { channel: 'stable' }, 'stable');
    await admin.policy({ keyRef: 'for-type' }, { packType: 'policy' }, 'policies');
    const taskTo = async (channel: string, key: SigningKey) => {
      const bundle = aBundle(aManifest(`task-${channel}-${key.name}`));
      return (await admin.publish(bundle, { signatures: [key.sigstore(bundle.bytes)], query: { channel } })).status;
    };
    expect([await taskTo('edge', forAll), await taskTo('edge', forChannel)]).toEqual([201, 422]);
    expect([await taskTo('stable', forAll), await taskTo('stable', forChannel)]).toEqual([422, 201]);
    const policyBy = async (key: SigningKey) => {
      const spec = { rules: [{ id: 'r', title: 'R', expression: 'true' }] };
      return (await publish(admin, aBundle(aManifest(`policy-${key.name}`, '1.0.0', { kind: 'PolicyPack', spec })), key)).status;
    };
    expect([await policyBy(forAll), await policyBy(forType)]).toEqual([422, 201]);
  });

  it('refuses what is not signed unless it allows that', async () => {
    const admin = await tenantTrusting(new SigningKey('release'));
    const bundle = aBundle(aManifest('unsigned'));
    const refused = await admin.publish(bundle);
    expect([refused.status, refused.body.errors]).toEqual([422, [expect.objectContaining({ code: 'ERR_PACK_SIGNATURE_MISSING' })]]);
    await admin.policy({ keyRef: 'release' }, { unsigned: 'allow' });
    expect((await admin.publish(bundle)).status).toBe(201);
    const { verdict, signatures } = (await admin.version('unsigned', '1.0.0')).body;
    expect(signatures).toEqual([]);
    expect(verdict.checks.filter(({ id }) => id !== 'scan').slice(-2)).toEqual([
      { id: 'signature', outcome: 'skipped', reason: 'unsigned-allowed' },
      { id: 'policy', outcome: 'pass', reason: 'unsigned-allowed' },
    ]);
  });

  it('a bad signature is not the same as none: what is allowed unsigned is refused wrongly signed', async () => {
    const admin = await tenantTrusting(new SigningKey('release'));
    await admin.policy({ keyRef: 'release' }, { unsigned: 'allow' });
    const refused = await publish(admin, aBundle(aManifest('wrongly-signed')), new SigningKey('stranger'));
    expect([refused.status, refused.body.code]).toEqual([422, 'ERR_PACK_VERDICT_REJECTED']);
  });

  it('without one nothing may be published', async () => {
    const admin = await registry.caller();
    const key = new SigningKey('release');
    await admin.trust(key);
    const refused = await publish(admin, aBundle(aManifest('lawless')), key);
    expect([refused.status, refused.body.errors]).toEqual([422, [expect.objectContaining({ code: 'ERR_PACK_POLICY_MISSING' })]]);
  });
});

describe('changes of trust', () => {
  it('are in the audit log, each with its full new state', async () => {
    const [a, b] = [new SigningKey('a'), new SigningKey('b')];
    const admin = await tenantTrusting(a);
    await admin.trust(a, b);
    await admin.put('/api/visibility', { shareWith: ['partner'] });
    const bundle = aBundle(aManifest('audited'));
    await publish(admin, bundle, new SigningKey('stranger'));
    const entries = await eventually(async () => {
      const found = await admin.audit();
      expect(found).toHaveLength(5);
      return found;
    });
    const actor = `client:${admin.tenant}-client`;
    expect(entries).toMatchObject([
      { seq: 1, type: 'registry.trust.updated', actor, data: { epoch: 1, keyIds: [a.keyId] } },
      { seq: 2, type: 'registry.policy.updated', actor, data: { policy: { name: 'default', version: 1 } } },
      { seq: 3, type: 'registry.trust.updated', actor, data: { epoch: 2, keyIds: [a.keyId, b.keyId] } },
      { seq: 4, type: 'registry.visibility.updated', actor, data: { shareWith: ['partner'] } },
      { seq: 5, type: 'pack.version.rejected', packId: 'audited', version: '1.0.0', data: { reasons: ['ERR_PACK_SIGNATURE_UNTRUSTED'] } },
    ]);
  });

  it('that change nothing raise no epoch and make no entry', async () => {
    const [a, b] = [new SigningKey('a'), new SigningKey('b')];
    const admin = await tenantTrusting(a, b);
    const before = (await admin.get('/api/trust')).body;
    expect((await admin.trust(b, a)).body).toEqual(before);
    expect((await admin.policy({ anyOf: [{ keyRef: 'a' }, { keyRef: 'b' }] })).body).toMatchObject({ version: 1 });
    const rows = await registry.sql<{ subject: string }>('select subject from registry.outbox where tenant = $1 order by id', [
      admin.tenant,
    ]);
    expect(rows.map(row => row.subject)).toEqual(['registry.trust.updated', 'registry.policy.updated']);
  });

  it('show the keys with their ids, and nothing private', async () => {
    const key = new SigningKey('release', 'ed25519');
    const admin = await tenantTrusting(key);
    const { body } = await admin.get<VersionView>('/api/trust');
    expect(body).toEqual({
      epoch: 1,
      digest: expect.stringMatching(/^sha256:/),
      keys: [{ name: 'release', keyId: key.keyId, scheme: 'ed25519', publicKey: key.publicKey }],
    });
  });
});
