import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { AttestationHistory, AttestationList, AttestationView, ComplianceSummary, Problem, ProvenanceReport } from '@packs/contracts';
import { aKeylessAuthority, eventually, peer } from '@packs/testing';
import { runStella } from '../tools/cli/testing/run-cli';
import type { Answer, Caller } from './caller';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SCHEMES, SigningKey, type SignatureDocument } from './signing-key';

const SLSA = 'https://slsa.dev/provenance/v1';
const SBOM = 'https://cyclonedx.org/bom';
const TESTS = 'https://in-toto.io/attestation/test-result/v0.1';
const ISSUER = 'https://issuer.test';
const IDENTITY = 'https://git.test/acme/packs/.ci/release.yml@refs/heads/main';
const cosign = peer('cosign');
const oras = peer('oras');
const release = new SigningKey('release');
const builder = new SigningKey('builder', 'ed25519');
let registry: Registry;
let folder: string;

beforeAll(async () => {
  registry = await Registry.shared();
  folder = mkdtempSync(join(tmpdir(), 'evidence-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function aPublisher(): Promise<Caller> {
  const caller = await registry.caller();
  await caller.trust(release, builder);
  await caller.policy({ anyOf: [{ keyRef: 'release' }, { keyRef: 'builder' }] });
  return caller;
}

async function publish(caller: Caller, packId: string, by = release): Promise<Bundle> {
  const bundle = aBundle(aManifest(packId, '1.0.0'));
  const { status, body } = await caller.publish(bundle, { signatures: [by.sigstore(bundle.bytes)] });
  expect([status, body.code]).toEqual([201, undefined]);
  return bundle;
}

const at = (packId: string, more: string): string => `/api/packs/${packId}/versions/1.0.0/${more}`;

function attest(
  caller: Caller,
  packId: string,
  { mediaType, content }: SignatureDocument,
  query = {},
): Promise<Answer<AttestationView & Problem>> {
  return caller.send('POST', at(packId, 'attestations'), { query, body: content, headers: { 'content-type': mediaType } });
}

async function statesOf(caller: Caller, packId: string, state = 'all'): Promise<string[]> {
  const { body } = await caller.get<AttestationList>(at(packId, 'attestations'), { state });
  return body.attestations.map(view => view.state);
}

const decide = (caller: Caller, packId: string, digest: string, decision: string, reason = 'the build machine was not ours') =>
  caller.send<AttestationHistory & Problem>('POST', at(packId, `attestations/${digest}/states`), { json: { decision, reason } });

const attestedIn = async (caller: Caller): Promise<number> =>
  (await caller.get<ComplianceSummary>('/api/compliance/summary')).body.totals.attestations.versions;

const BUILD = {
  buildDefinition: {
    buildType: 'https://ci.test/pipeline/v1',
    externalParameters: { workflow: { repository: 'https://git.test/acme/hello', ref: 'refs/tags/v1.0.0' } },
    resolvedDependencies: [{ uri: 'git+https://git.test/acme/hello@refs/tags/v1.0.0', digest: { gitCommit: 'a'.repeat(40) } }],
  },
  runDetails: {
    builder: { id: 'https://ci.test/runner' },
    metadata: { invocationId: 'https://ci.test/runs/7', startedOn: '2026-01-17T08:00:00Z', finishedOn: '2026-01-17T08:01:00Z' },
  },
};

describe('the state of an attestation', () => {
  it('is provisional until its signer is trusted, and counts from then on', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'waiting');
    const late = new SigningKey('late');
    const document = late.attestation(bundle.digest, SLSA, BUILD);
    expect((await attest(caller, 'waiting', document)).status).toBe(422);
    const kept = await attest(caller, 'waiting', document, { provisional: true });
    expect([kept.status, kept.body.state, kept.body.stateReason]).toEqual([202, 'provisional', 'ERR_PACK_SIGNATURE_INVALID']);
    expect([await statesOf(caller, 'waiting'), await statesOf(caller, 'waiting', 'verified')]).toEqual([['provisional'], []]);
    expect((await caller.get<Problem>(kept.body.uri)).body.code).toBe('ERR_PACK_WITHDRAWN');
    expect((await caller.get<ProvenanceReport>(at('waiting', 'provenance'))).body.builds).toEqual([]);
    const aboutOther = late.attestation(`sha256:${'0'.repeat(64)}`, SLSA);
    expect((await attest(caller, 'waiting', aboutOther, { provisional: true })).body.code).toBe('ERR_PACK_ATTESTATION_INVALID');

    await caller.trust(release, late);
    await caller.policy({ anyOf: [{ keyRef: 'release' }, { keyRef: 'late' }] });
    const verified = await attest(caller, 'waiting', document);
    expect([verified.status, verified.body.state]).toEqual([201, 'verified']);
    const { body } = await caller.get<AttestationHistory>(at('waiting', `attestations/${kept.body.digest}/states`));
    expect(body.history.map(({ state }) => state)).toEqual(['provisional', 'verified']);
    await eventually(async () => expect(await attestedIn(caller)).toBe(1), 30_000);
  });

  it('is contested by an approver and by nobody else, no longer counts, and is upheld again', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'disputed');
    const { body: added } = await attest(caller, 'disputed', builder.attestation(bundle.digest, SLSA, BUILD));
    await eventually(async () => expect(await attestedIn(caller)).toBe(1), 30_000);
    const writer = await registry.caller(caller.tenant, 'packs.read packs.write');
    expect((await decide(writer, 'disputed', added.digest, 'contested')).body.code).toBe('ERR_PACK_SCOPE');
    expect((await decide(await registry.caller(), 'disputed', added.digest, 'contested')).status).toBe(404);
    expect((await decide(caller, 'disputed', added.digest, 'contested', 'two\nlines')).status).toBe(400);

    const contested = await decide(caller, 'disputed', added.digest, 'contested');
    expect([contested.status, contested.body.state]).toEqual([200, 'contested']);
    expect([await statesOf(caller, 'disputed'), await statesOf(caller, 'disputed', 'verified')]).toEqual([['contested'], []]);
    expect((await caller.get<ProvenanceReport>(at('disputed', 'provenance'))).body.builds).toEqual([]);
    const document = await caller.get(added.uri);
    expect([document.status, document.headers.get('stella-attestation-state')]).toEqual([200, 'contested']);
    await eventually(async () => expect(await attestedIn(caller)).toBe(0), 30_000);

    expect((await decide(caller, 'disputed', added.digest, 'upheld', 'it was ours')).body.history.map(({ state }) => state)).toEqual([
      'verified',
      'contested',
      'verified',
    ]);
    expect(await statesOf(caller, 'disputed', 'verified')).toEqual(['verified']);
    await eventually(async () => expect(await attestedIn(caller)).toBe(1), 30_000);
    const audit = await caller.audit();
    expect(audit.filter(({ type }) => type === 'pack.attestation.reassessed')).toHaveLength(2);
  });
});

describe('a contested attestation', () => {
  it('lets no version into a channel that asks for it, until it is upheld; where the version is, it stays', async () => {
    const caller = await aPublisher();
    const rule = { anyOf: [{ keyRef: 'release' }, { keyRef: 'builder' }] };
    const stable = { name: 'stable', channel: 'stable', unsigned: 'reject', rule, require: { attestations: [{ predicateType: SLSA }] } };
    expect((await caller.put('/api/policies/stable', { ...stable, name: undefined })).status).toBe(200);
    const bundle = await publish(caller, 'wanted');
    const { body: added } = await attest(caller, 'wanted', builder.attestation(bundle.digest, SLSA, BUILD));
    await decide(caller, 'wanted', added.digest, 'contested');
    const promote = () => caller.send<Problem>('POST', '/api/packs/wanted/promote', { json: { version: '1.0.0', channel: 'stable' } });
    const refused = await promote();
    expect([refused.status, refused.body.errors?.map(({ code }) => code)]).toEqual([422, ['ERR_PACK_ATTESTATION_MISSING']]);
    await decide(caller, 'wanted', added.digest, 'upheld');
    expect((await promote()).status).toBe(200);
    await decide(caller, 'wanted', added.digest, 'contested');
    expect((await caller.version('wanted', '1.0.0')).body.channels).toEqual(['edge', 'stable']);
  });
});

describe('the provenance of a version', () => {
  it('shows builder, source, SBOM and tests, each with the statement it is from and who signed it', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'built');
    const bom = { bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber: 'urn:uuid:1', components: [{ name: 'a' }, { name: 'b' }] };
    const build = await attest(caller, 'built', builder.attestation(bundle.digest, SLSA, BUILD));
    const sbom = await attest(caller, 'built', release.attestation(bundle.digest, SBOM, bom));
    await attest(caller, 'built', builder.attestation(bundle.digest, TESTS, { result: 'PASSED', passedTests: ['one', 'two'] }));
    await attest(caller, 'built', builder.attestation(bundle.digest, 'https://example.test/other', { deep: [[[]]] }));
    const { status, body } = await caller.get<ProvenanceReport>(at('built', 'provenance'));
    expect([status, body.digest]).toEqual([200, bundle.digest]);
    expect(body.builds).toMatchObject([
      {
        attestation: build.body.digest,
        signers: [{ name: 'builder', keyId: builder.keyId }],
        builder: 'https://ci.test/runner',
        source: { repository: 'https://git.test/acme/hello', ref: 'refs/tags/v1.0.0', commit: 'a'.repeat(40) },
        invocation: 'https://ci.test/runs/7',
        materialCount: 1,
        leftOut: [],
      },
    ]);
    expect(body.sboms).toMatchObject([
      { attestation: sbom.body.digest, format: 'CycloneDX', components: 2, signers: [{ name: 'release' }] },
    ]);
    expect(body.tests).toMatchObject([{ result: 'PASSED', passed: 2, failed: 0 }]);
    expect(body.others).toMatchObject([{ predicateType: 'https://example.test/other' }]);
    expect((await (await registry.caller()).get(at('built', 'provenance'), { namespace: caller.tenant })).status).toBe(404);
    const shown = await stella(caller, 'pack', 'provenance', 'built@1.0.0');
    for (const text of ['https://ci.test/runner', 'a'.repeat(40), 'CycloneDX 1.6, 2 components', 'builder']) expect(shown).toContain(text);

    await caller.trust(release);
    expect((await caller.get<ProvenanceReport>(at('built', 'provenance'))).body).toMatchObject({ builds: [], tests: [], sboms: [{}] });
  });
});

async function stella(caller: Caller, ...args: string[]): Promise<string> {
  const run = await runStella(args, { env: { STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: caller.token ?? '' } });
  expect([run.code, run.stderr]).toEqual([0, '']);
  return run.stdout;
}

/** What the auditor's tools say of the files; `cosign` is on the path when it is asked for. */
function verify(files: string, { withCosign = false, bundle = [] as readonly string[] } = {}): { code: number | null; said: string } {
  const path = withCosign ? `${dirname(cosign.path)}:/usr/bin:/bin` : '/usr/bin:/bin';
  const { status, stdout, stderr } = spawnSync('sh', [join(files, 'verify.sh'), ...bundle], {
    env: { PATH: path, HOME: folder },
    encoding: 'utf8',
  });
  return { code: status, said: stdout + stderr };
}

async function unpacked(caller: Caller, packId: string, name: string, query = {}): Promise<{ files: string; tar: Buffer }> {
  const { status, bytes, headers } = await caller.get(at(packId, 'evidence'), query);
  expect([status, headers.get('content-type')]).toEqual([200, 'application/x-tar']);
  const files = join(folder, name);
  mkdirSync(files);
  writeFileSync(`${files}.tar`, bytes);
  execFileSync('tar', ['-xf', `${files}.tar`, '-C', files]);
  return { files, tar: bytes };
}

const listed = (files: string): string[] =>
  readdirSync(files, { recursive: true })
    .map(String)
    .filter(name => statSync(join(files, name)).isFile())
    .toSorted();

/** As many entries as the log will have. */
const settled = (caller: Caller): Promise<void> =>
  eventually(async () => {
    const [row] = await registry.sql<{ n: number }>(`select count(*)::int as n from registry.outbox where tenant = $1`, [caller.tenant]);
    expect(await caller.audit()).toHaveLength(row?.n ?? -1);
  }, 30_000);

describe('the evidence of a version', () => {
  it('is checked by stock tools alone, which find any byte that was changed', async () => {
    const keys = SCHEMES.map(scheme => new SigningKey(scheme, scheme));
    const caller = await registry.caller();
    await caller.trust(...keys);
    await caller.policy({ anyOf: keys.map(({ name }) => ({ keyRef: name })) });
    const bundle = aBundle(aManifest('shown', '1.0.0'));
    // A verdict names each identity once, with the first of its signatures: so one of each form.
    const signatures = keys.map((key, n) =>
      n === 0 ? key.raw(bundle.bytes) : n === 1 ? key.dsse(bundle.bytes) : key.sigstore(bundle.bytes),
    );
    expect((await caller.publish(bundle, { signatures })).status).toBe(201);
    for (const key of keys) expect((await attest(caller, 'shown', key.attestation(bundle.digest, SLSA, BUILD))).status).toBe(201);
    await attest(caller, 'shown', new SigningKey('nobody').attestation(bundle.digest, SBOM), { provisional: true });
    await settled(caller);

    const { files, tar } = await unpacked(caller, 'shown', 'whole', { bundle: true });
    const good = verify(files);
    expect([good.code, good.said.match(/^ok .*signed by/gm)?.length]).toEqual([0, 8]);
    expect(good.said).toMatch(/GOOD\n$/);
    expect(
      createHash('sha256')
        .update(readFileSync(join(files, 'artifact/bundle.tar.gz')))
        .digest('hex'),
    ).toBe(bundle.digest.slice(7));
    const index = JSON.parse(readFileSync(join(files, 'evidence.json'), 'utf8')) as {
      attestations: { state: string; file: string | null }[];
    };
    expect(index.attestations.map(({ state, file }) => [state, file === null])).toEqual([
      ...keys.map(() => ['verified', false]),
      ['provisional', true],
    ]);
    await settled(caller);
    expect((await caller.get(at('shown', 'evidence'), { bundle: true })).bytes.equals(tar)).toBe(true);

    for (const [step, name] of listed(files).entries()) {
      const before = readFileSync(join(files, name));
      const where = (step * 7919) % before.length;
      const bytes = Buffer.from(before);
      bytes[where] = (bytes[where] ?? 0) ^ 1;
      writeFileSync(join(files, name), bytes);
      const sums = spawnSync('sha256sum', ['--quiet', '--strict', '-c', 'SHA256SUMS'], { cwd: files }).status;
      expect([name, sums]).toEqual([name, 1]);
      if (/^(evidence.json|artifact.bundle)/.test(name)) expect([name, verify(files).code]).toEqual([name, 1]);
      writeFileSync(join(files, name), before);
    }
    expect(verify(files).code).toBe(0);
  }, 120_000);

  it('is found wrong by signatures too, when somebody has made the sums anew', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'resummed');
    await attest(caller, 'resummed', builder.attestation(bundle.digest, SLSA, BUILD));
    await settled(caller);
    const { files } = await unpacked(caller, 'resummed', 'resummed', { bundle: true });
    expect(verify(files)).toMatchObject({ code: 0, said: expect.stringMatching(/GOOD\n$/) as string });
    const resum = (): void => {
      const sums = listed(files).filter(name => name !== 'SHA256SUMS');
      writeFileSync(join(files, 'SHA256SUMS'), execFileSync('sha256sum', sums, { cwd: files }));
    };
    const change = (name: string, edit: (text: string) => string): void => {
      const whole = join(files, name);
      const before = readFileSync(whole);
      writeFileSync(whole, edit(before.toString('latin1')), 'latin1');
      resum();
      expect([name, verify(files).code]).toEqual([name, 1]);
      writeFileSync(whole, before);
    };
    change('artifact/bundle.tar.gz', text => `${text.slice(0, -1)}x`);
    change('audit/entries.jsonl', text => text.replace('"actor":"', '"actor":"x'));
    change('artifact/manifest.json', text => text.replace('"layers"', '"Layers"'));
    for (const kind of ['verdicts', 'trust', 'attestations', 'signatures']) {
      const name = listed(files).find(one => one.startsWith(`${kind}/`)) ?? kind;
      change(name, text => text.replace(/[0-9a-f](?=[0-9a-f]{8})/, digit => (digit === '0' ? '1' : '0')).replace(/^\{/, '{ '));
    }
    rmSync(join(files, 'artifact/bundle.tar.gz'));
    resum();
    const without = verify(files);
    expect([without.code, without.said.match(/^left .*/gm)?.length]).toEqual([2, 1]);
    const elsewhere = join(folder, 'elsewhere.tgz');
    writeFileSync(elsewhere, bundle.bytes);
    expect(verify(files, { bundle: [elsewhere] }).code).toBe(0);
    writeFileSync(elsewhere, `${bundle.bytes.toString('latin1')}x`, 'latin1');
    expect(verify(files, { bundle: [elsewhere] }).code).toBe(1);
  }, 120_000);

  (cosign.isWanted ? it : it.skip)(
    `is good to cosign: by key and by certificate${cosign.note}`,
    async () => {
      const authority = await aKeylessAuthority();
      const caller = await registry.caller();
      const trusted = {
        keys: [release].map(({ name, publicKey, scheme }) => ({ name, publicKey, scheme })),
        trustedRoots: [authority.trustedRoot],
      };
      expect((await caller.put('/api/trust', trusted)).status).toBe(200);
      await caller.policy({ anyOf: [{ oidcIssuer: { issuer: ISSUER, identity: IDENTITY } }, { keyRef: 'release' }] });
      const bundle = aBundle(aManifest('keyless', '1.0.0'));
      const content = await authority.bundle(bundle.bytes, { issuer: ISSUER, identity: IDENTITY });
      const signatures = [{ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', content }, release.sigstore(bundle.bytes)];
      expect((await caller.publish(bundle, { signatures })).status).toBe(201);
      const { files } = await unpacked(caller, 'keyless', 'keyless', { bundle: true });
      expect([verify(files).code, verify(files).said]).toEqual([2, expect.stringContaining('cosign is not installed')]);
      const good = verify(files, { withCosign: true });
      expect([good.code, good.said]).toEqual([0, expect.stringMatching(/as https:\/\/issuer\.test vouches, says cosign/)]);
      expect(good.said).toMatch(/signed by keys\/.*says cosign/);
      const checks = readFileSync(join(files, 'CHECKS'), 'utf8');
      writeFileSync(join(files, 'CHECKS'), checks.replace(IDENTITY, `${IDENTITY}x`));
      expect(verify(files, { withCosign: true }).said).toMatch(/WRONG .*says cosign/);
    },
    120_000,
  );

  (cosign.isWanted && oras.isWanted ? it : it.skip)(
    `has what cosign attested by OCI, and oras finds its referrer${cosign.note || oras.note}`,
    async () => {
      const caller = await aPublisher();
      const bundle = await publish(caller, 'pushed');
      const { body: version } = await caller.version('pushed', '1.0.0');
      const { body: added } = await attest(caller, 'pushed', builder.attestation(bundle.digest, SLSA, BUILD));
      const host = new URL(registry.gatewayUrl).host;
      const name = `${host}/${caller.tenant}/pushed@${version.manifestDigest}`;
      const env = { PATH: '/usr/bin:/bin', HOME: folder };
      const found = execFileSync(
        oras.path,
        ['discover', '--plain-http', '--format', 'json', '--username', 'token', '--password', caller.token ?? '', name],
        {
          env,
          encoding: 'utf8',
        },
      );
      const { referrers } = JSON.parse(found) as { referrers: { digest: string; artifactType: string }[] };
      expect(referrers).toContainEqual(expect.objectContaining({ digest: added.manifestDigest, artifactType: added.mediaType }));
      const exported = await unpacked(caller, 'pushed', 'pushed');
      expect(listed(exported.files)).toContain(`attestations/${added.digest.slice(7)}.dsse.json`);
      expect(relative(folder, exported.files)).toBe('pushed');
    },
    120_000,
  );

  it('is given to the version’s owner alone, written into the audit log, by the command line as well', async () => {
    const caller = await aPublisher();
    const friend = await registry.caller();
    await caller.put('/api/visibility', { shareWith: [friend.tenant] });
    const bundle = aBundle(aManifest('owned', '1.0.0', { metadata: { tenantVisibility: [friend.tenant] } }));
    await caller.publish(bundle, { signatures: [release.sigstore(bundle.bytes)] });
    expect((await friend.version('owned', '1.0.0', { namespace: caller.tenant })).status).toBe(200);
    for (const query of [undefined, { namespace: caller.tenant }]) {
      const { status, body } = await friend.get<Problem>(at('owned', 'evidence'), query);
      expect([404, 400]).toContain(status);
      expect(body.code).toMatch(/^ERR_PACK_(NOT_FOUND|REQUEST_INVALID)$/);
    }
    await settled(caller);
    const file = join(folder, 'owned.tar');
    const saved = JSON.parse(await stella(caller, 'pack', 'evidence', 'owned@1.0.0', '--out', file, '--output', 'json')) as {
      digest: string;
    };
    expect(saved.digest).toBe(`sha256:${createHash('sha256').update(readFileSync(file)).digest('hex')}`);
    await eventually(async () => {
      expect((await caller.audit()).filter(({ type }) => type === 'pack.evidence.exported')).toHaveLength(1);
    }, 30_000);
    await caller.trust(builder);
    expect((await caller.get<Problem>(at('owned', 'evidence'))).body.code).toBe('ERR_PACK_WITHDRAWN');
  });

  it('of contested statements tells who contested them and why', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'argued');
    const { body: added } = await attest(caller, 'argued', builder.attestation(bundle.digest, SLSA, BUILD));
    await stella(caller, 'pack', 'contest', 'argued@1.0.0', added.digest, '--reason', 'not ours', '--output', 'json');
    const { files } = await unpacked(caller, 'argued', 'argued', { bundle: true });
    const index = JSON.parse(readFileSync(join(files, 'evidence.json'), 'utf8')) as {
      attestations: { state: string; stateReason: string; history: { state: string }[]; file: string }[];
    };
    expect(index.attestations).toMatchObject([
      { state: 'contested', stateReason: 'not ours', history: [{ state: 'verified' }, { state: 'contested' }] },
    ]);
    expect(verify(files)).toMatchObject({ code: 0, said: expect.stringMatching(/GOOD\n$/) as string });
  });
});
