import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttestationView, PolicyView, Problem, VerdictAnswer, WaitingAttestationView } from '@packs/contracts';
import { MEDIA_TYPES, type PolicyRule } from '@packs/domain';
import { aKeylessAuthority, eventually } from '@packs/testing';
import type { Answer, Caller } from './caller';
import { CommandLine } from './command-line';
import { aBundle, aManifest, digestOf, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey, type SignatureDocument } from './signing-key';

const SLSA = 'https://slsa.dev/provenance/v1';
const SBOM = 'https://cyclonedx.org/bom';
const ISSUER = 'https://issuer.test';
const IDENTITY = 'https://git.test/acme/release';
const ann = new SigningKey('ann');
const ben = new SigningKey('ben', 'ed25519');
const builder = new SigningKey('builder');
const PROVENANCE = { attestations: [{ predicateType: SLSA, rule: { keyRef: 'builder' } }] };
const BOTH: PolicyRule = { threshold: { count: 2, of: [{ keyRef: 'ann' }, { keyRef: 'ben' }, { keyRef: 'builder' }] } };

let registry: Registry;
let owner: Caller;

beforeAll(async () => {
  registry = await Registry.shared();
});
beforeEach(async () => {
  owner = await registry.caller();
  await owner.trust(ann, ben, builder);
});

async function put(rule: PolicyRule, settings: object = {}, name = 'default'): Promise<void> {
  const { status, body } = await owner.policy(rule, settings, name);
  expect([status, body.code]).toEqual([200, undefined]);
}

function publish(bundle: Bundle, ...keys: readonly SigningKey[]) {
  return owner.publish(bundle, { signatures: keys.map(key => key.sigstore(bundle.bytes)) });
}

function attest(
  { packId, version }: Bundle,
  { mediaType, content }: SignatureDocument,
): Promise<Answer<Omit<AttestationView, 'state'> & Omit<WaitingAttestationView, 'state'> & { readonly state: string } & Problem>> {
  const path = `/api/packs/${packId}/versions/${version}/attestations`;
  return owner.send('POST', path, { body: content, headers: { 'content-type': mediaType } });
}

const about = (bundle: Bundle, predicateType = SLSA, key = builder): SignatureDocument =>
  key.attestation(digestOf(bundle.bytes), predicateType);

async function verdictOf({ packId, version }: Bundle): Promise<VerdictAnswer> {
  const { status, body } = await owner.get<VerdictAnswer & Problem>(`/api/packs/${packId}/versions/${version}/verdict`);
  expect([status, body.code]).toEqual([200, undefined]);
  return body;
}

const failed = ({ checks }: VerdictAnswer['stored']) =>
  checks.filter(({ outcome }) => outcome === 'fail').map(({ id, reason }) => [id, reason]);

describe('a policy', () => {
  it('asks for several signers, none of whom counts twice', async () => {
    await put(BOTH);
    const bundle = aBundle(aManifest('two-of-three'));
    for (const keys of [[ann], [ann, ann]]) {
      const { status, body } = await publish(bundle, ...keys);
      expect([status, body.code]).toEqual([422, 'ERR_PACK_VERDICT_REJECTED']);
    }
    expect((await publish(bundle, ann, ben)).status).toBe(201);
    const { stored, state } = await verdictOf(bundle);
    expect([state, stored.outcome, stored.identities.map(({ name }) => name)]).toEqual(['served', 'accepted', ['ann', 'ben']]);
  });

  it('in FIPS mode counts no Ed25519 signature, and RSA only where it is named', async () => {
    const rsa = new SigningKey('rsa', 'rsa-pss-sha256');
    await owner.trust(ann, ben, rsa);
    const rule: PolicyRule = { anyOf: [{ keyRef: 'ann' }, { keyRef: 'ben' }, { keyRef: 'rsa' }] };
    await put(rule, { require: { algorithms: ['fips'] } });
    for (const key of [ben, rsa]) {
      const { status, body } = await publish(aBundle(aManifest('fips', '1.0.0')), key);
      expect([status, body.errors]).toEqual([422, [expect.objectContaining({ reason: 'algorithm-not-allowed' })]]);
    }
    expect((await publish(aBundle(aManifest('fips', '1.0.0')), ann)).status).toBe(201);
    await put(rule, { require: { algorithms: ['fips', 'rsa-pss-sha256'] } });
    expect((await publish(aBundle(aManifest('fips', '1.1.0')), rsa)).status).toBe(201);
    const refused = await owner.put<Problem>('/api/policies/default', { rule, require: { algorithms: ['fips', 'ed25519'] } });
    expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([400, '/require/algorithms/1']);
  });

  it('asks for a proof of a log, and for a young signature', async () => {
    const authority = await aKeylessAuthority();
    await owner.put('/api/trust', { keys: [{ name: ben.name, publicKey: ben.publicKey }], trustedRoots: [authority.trustedRoot] });
    await put(
      { anyOf: [{ keyRef: 'ben' }, { oidcIssuer: { issuer: ISSUER, identity: IDENTITY } }] },
      { require: { log: true, maxAgeDays: 1 } },
    );
    const bundle = aBundle(aManifest('logged'));
    const byKey = await publish(bundle, ben);
    expect([byKey.status, byKey.body.errors?.map(({ reason }) => reason)]).toEqual([422, ['log-not-proven']]);
    const content = await authority.bundle(bundle.bytes, { issuer: ISSUER, identity: IDENTITY });
    const keyless = await owner.publish(bundle, { signatures: [{ mediaType: MEDIA_TYPES.sigstoreBundle, content }] });
    expect(keyless.status).toBe(201);
    const passed = (await verdictOf(bundle)).stored.checks.filter(({ id }) => id === 'log' || id === 'age');
    expect(passed.map(({ id, outcome, reason }) => [id, outcome, reason])).toEqual([
      ['log', 'pass', 'ok'],
      ['age', 'pass', 'ok'],
    ]);
  });

  it('is held to its form, with a pointer to each fault', async () => {
    const rule = { allOf: [{ threshold: { count: 3, of: [{ keyRef: 'ann' }, { keyRef: 'ben' }] } }, { keyRef: 'No Name' }] };
    const { status, body } = await owner.put<Problem>('/api/policies/default', { rule });
    expect([status, body.code, body.errors?.map(({ pointer }) => pointer)]).toEqual([
      400,
      'ERR_PACK_POLICY_INVALID',
      ['/rule/allOf/0/threshold/count', '/rule/allOf/1/keyRef'],
    ]);
  });
});

describe('a required attestation', () => {
  it('makes a version wait, and publishes it when it comes', async () => {
    await put({ keyRef: 'ann' }, { unsigned: 'pending', require: PROVENANCE });
    const bundle = aBundle(aManifest('awaited'));
    const { status, body } = await publish(bundle, ann);
    expect([status, body.state, body.lacks]).toEqual([
      202,
      'pending',
      [expect.objectContaining({ code: 'ERR_PACK_ATTESTATION_MISSING', reason: 'attestation-missing' })],
    ]);
    expect((await owner.version(bundle.packId, bundle.version)).status).toBe(404);

    const other = await attest(bundle, about(bundle, SBOM));
    expect([other.status, other.body.state, other.body.predicateType]).toEqual([202, 'waiting', SBOM]);
    const byAnother = await attest(bundle, about(bundle, SLSA, ann));
    expect([byAnother.status, byAnother.body.state]).toEqual([202, 'waiting']);
    const wanted = about(bundle);
    const added = await attest(bundle, wanted);
    expect([added.status, added.body.predicateType, added.body.signers.map(({ name }) => name)]).toEqual([201, SLSA, ['builder']]);
    expect((await owner.version(bundle.packId, bundle.version)).status).toBe(200);
    const { stored } = await verdictOf(bundle);
    expect(stored.attestations).toContain(digestOf(wanted.content));
    expect(stored.checks.findLast(({ id }) => id !== 'scan')).toMatchObject({
      id: 'attestation',
      outcome: 'pass',
      evidence: digestOf(wanted.content),
    });
    await eventually(async () => {
      const [event] = (await owner.audit({ packId: 'awaited' })).filter(({ type }) => type === 'pack.version.published');
      expect(event?.data).toMatchObject({ verdictHash: stored.hash, verdictOutcome: 'accepted' });
    });
  });

  it('is asked for by the channel that a version is promoted to', async () => {
    await put({ keyRef: 'ann' });
    await put({ keyRef: 'ann' }, { channel: 'stable', require: PROVENANCE }, 'stable');
    const bundle = aBundle(aManifest('promoted'));
    expect((await publish(bundle, ann)).status).toBe(201);
    const promote = () => owner.send<Problem>('POST', '/api/packs/promoted/promote', { json: { version: '1.0.0', channel: 'stable' } });
    const refused = await promote();
    expect([refused.status, refused.body.errors?.map(({ code }) => code)]).toEqual([422, ['ERR_PACK_ATTESTATION_MISSING']]);
    expect((await attest(bundle, about(bundle))).status).toBe(201);
    expect((await promote()).status).toBe(200);
  });

  it('withdraws its version with the key that signed it, and serves it again with another by one that is trusted', async () => {
    await put(
      { keyRef: 'ann' },
      {
        unsigned: 'pending',
        require: { attestations: [{ predicateType: SLSA, rule: { anyOf: [{ keyRef: 'builder' }, { keyRef: 'ben' }] } }] },
      },
    );
    const bundle = aBundle(aManifest('leaning'));
    expect((await publish(bundle, ann)).status).toBe(202);
    expect((await attest(bundle, about(bundle))).status).toBe(201);
    await owner.trust(ann, ben);
    const withdrawn = await owner.version(bundle.packId, bundle.version);
    expect([withdrawn.status, withdrawn.body.code]).toEqual([403, 'ERR_PACK_WITHDRAWN']);
    const { state, stored, current, faults } = await verdictOf(bundle);
    expect([state, stored.outcome, current?.outcome]).toEqual(['withdrawn', 'accepted', 'rejected']);
    expect(current && failed(current)).toEqual([['attestation', 'attestation-missing']]);
    expect(faults).toEqual([expect.objectContaining({ code: 'ERR_PACK_ATTESTATION_MISSING' })]);
    expect((await attest(bundle, about(bundle, SLSA, ben))).status).toBe(201);
    expect((await owner.version(bundle.packId, bundle.version)).status).toBe(200);
    expect((await verdictOf(bundle)).state).toBe('served');
  });
});

describe('from the command line', () => {
  let user: CommandLine;

  beforeEach(() => {
    user = new CommandLine({ STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: owner.token ?? '' });
  });
  afterEach(() => {
    rmSync(user.folder, { recursive: true });
  });

  it('a policy file is applied, shown, and applied again', async () => {
    const file = join(user.folder, 'policy.yaml');
    writeFileSync(
      file,
      `channel: stable
rule:
  allOf:
    - { keyRef: ann }
    - threshold: { count: 1, of: [{ keyRef: ben }, { keyRef: builder }] }
require: { algorithms: [fips], maxAgeDays: 30 }
`,
    );
    const applied = await user.json<PolicyView>('policy', 'set', 'stable', '--file', file);
    expect(applied).toMatchObject({ version: 1, channel: 'stable', unsigned: 'pending' });
    expect(applied.require).toEqual({ algorithms: ['ecdsa-p256-sha256'], maxAgeDays: 30 });
    const shown = await user.json<PolicyView>('policy', 'show', 'stable');
    expect(shown).toEqual(applied);
    writeFileSync(file, JSON.stringify(shown));
    expect(await user.json('policy', 'set', 'stable', '--file', file)).toEqual(applied);

    writeFileSync(file, `${readFileSync(file, 'utf8').slice(0, -1)}, "extra": 1}`);
    const unknown = await user.stella('policy', 'set', 'stable', '--file', file);
    expect([unknown.code === 0, unknown.stderr]).toEqual([false, expect.stringContaining('ERR_PACK_POLICY_INVALID')]);
    const both = await user.stella('policy', 'set', 'stable', '--file', file, '--key', 'ann');
    expect([both.code === 0, both.stderr]).toEqual([false, expect.stringContaining('--file')]);
  });

  it('a verdict explains itself, by its exit code as well', async () => {
    await put({ keyRef: 'ann' }, { require: { algorithms: ['fips'] } });
    const bundle = aBundle(aManifest('explained'));
    expect((await publish(bundle, ann)).status).toBe(201);
    const served = await user.stella('pack', 'verify', 'explained@1.0.0', '--explain');
    expect([served.code, served.stderr]).toEqual([0, '']);
    expect(served.stdout).toMatch(/^algorithm +pass +ok +sha256:/m);
    expect(served.stdout).toContain((await verdictOf(bundle)).stored.hash);
    await owner.trust(ben);
    const withdrawn = await user.stella('pack', 'verify', 'explained@1.0.0', '--explain');
    expect([withdrawn.code === 0, withdrawn.stderr]).toEqual([false, expect.stringContaining('ERR_PACK_WITHDRAWN')]);
    expect(withdrawn.stderr).toContain('key-untrusted');
    expect(withdrawn.stdout).toMatch(/^signature +fail +ERR_PACK_SIGNATURE_UNTRUSTED/m);
    const nothing = await user.stella('pack', 'verify', 'explained@1.0.0');
    expect([nothing.code === 0, nothing.stderr]).toEqual([false, expect.stringContaining('--explain')]);
  });

  it('a statement about a version that waits is signed and sent', async () => {
    await put({ keyRef: 'ann' }, { unsigned: 'pending', require: PROVENANCE });
    const bundle = aBundle(aManifest('attested'));
    expect((await publish(bundle, ann)).status).toBe(202);
    const at = (name: string, content: string | Buffer): string => {
      writeFileSync(join(user.folder, name), content);
      return join(user.folder, name);
    };
    const args = ['--predicate', at('predicate.json', '{}'), '--type', SLSA, '--key', at('builder.pem', builder.privatePem())];
    const sent = await user.json<AttestationView>('pack', 'attest', 'attested@1.0.0', ...args, '--bundle', at('b.tgz', bundle.bytes));
    expect([sent.predicateType, sent.signers.map(({ name }) => name)]).toEqual([SLSA, ['builder']]);
    expect((await verdictOf(bundle)).state).toBe('served');
  });
});
