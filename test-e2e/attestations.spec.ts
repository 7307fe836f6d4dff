import { setTimeout as delay } from 'node:timers/promises';
import type { AttestationList, AttestationView, ComplianceSummary, Problem, ReplayAnswer } from '@packs/contracts';
import { eventually } from '@packs/testing';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runStella } from '../tools/cli/testing/run-cli';
import type { Answer, Caller } from './caller';
import { aBundle, aManifest, digestOf, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey, type SignatureDocument } from './signing-key';

const SLSA = 'https://slsa.dev/provenance/v1';
const SBOM = 'https://cyclonedx.org/bom';
const COVERAGE_TABLES = ['version_coverage', 'attestation_coverage', 'channel_coverage', 'trust_coverage'];
const release = new SigningKey('release');
const builder = new SigningKey('builder', 'ed25519');
let registry: Registry;

beforeAll(async () => {
  registry = await Registry.shared();
});

/** A tenant that takes packs by `release` and by `builder`. */
async function aPublisher(): Promise<Caller> {
  const caller = await registry.caller();
  await caller.trust(release, builder);
  await caller.policy({ anyOf: [{ keyRef: 'release' }, { keyRef: 'builder' }] });
  return caller;
}

async function publish(caller: Caller, packId: string, version = '1.0.0', metadata = {}): Promise<Bundle> {
  const bundle = aBundle(aManifest(packId, version, { metadata }));
  const { status, body } = await caller.publish(bundle, { signatures: [release.sigstore(bundle.bytes)] });
  expect([status, body.code]).toEqual([201, undefined]);
  return bundle;
}

const pathOf = (packId: string, version = '1.0.0'): string => `/api/packs/${packId}/versions/${version}/attestations`;

function attest(
  caller: Caller,
  { packId, version }: Pick<Bundle, 'packId' | 'version'>,
  { mediaType, content }: SignatureDocument,
  query = {},
): Promise<Answer<AttestationView & Problem & { verdict: { outcome: string; hash: string } }>> {
  return caller.send('POST', pathOf(packId, version), { query, body: content, headers: { 'content-type': mediaType } });
}

async function attestationsOf(caller: Caller, packId: string, query = {}): Promise<AttestationView[]> {
  const { status, body } = await caller.get<AttestationList & Problem>(pathOf(packId), query);
  expect([status, body.code]).toEqual([200, undefined]);
  return body.attestations;
}

async function summaryOf(caller: Caller, query = {}): Promise<ComplianceSummary> {
  const { status, body } = await caller.get<ComplianceSummary>('/api/compliance/summary', query);
  expect(status).toBe(200);
  return body;
}

/** Every row of the tenant's coverage, as text. */
async function coverageOf({ tenant }: Caller): Promise<string> {
  const parts: string[] = [];
  for (const table of COVERAGE_TABLES) {
    const rows = await registry.sql<{ row: string }>(
      `select t::text as row from compliance.${table} t where tenant = $1 order by t::text collate "C"`,
      [tenant],
    );
    parts.push(table, ...rows.map(({ row }) => row));
  }
  return parts.join('\n');
}

/** Once both consumers have taken in everything the tenant's packs did. */
async function settled(caller: Caller): Promise<void> {
  await eventually(async () => {
    const [row] = await registry.sql<{ missing: number }>(
      `select count(*)::int as missing from registry.outbox o
       where o.tenant = $1 and (not exists (select 1 from compliance.inbox i where i.consumer = 'compliance-audit' and i.message_id = o.event_id)
         or (o.subject in ('pack.version.published', 'pack.version.deprecated', 'pack.attestation.added', 'registry.trust.updated')
           and not exists (select 1 from compliance.inbox i where i.consumer = 'compliance-coverage' and i.message_id = o.event_id)))`,
      [caller.tenant],
    );
    expect(row?.missing).toBe(0);
    // What a killed consumer held is delivered again after its time to acknowledge.
  }, 60_000);
}

describe('an attestation', () => {
  it('is verified, kept byte for byte, found by its version and counted by the compliance summary', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'built');
    await publish(caller, 'unattested');
    const document = builder.attestation(bundle.digest, SLSA, { builder: { id: 'https://ci.test' } });
    await settled(caller);
    expect((await summaryOf(caller)).totals).toMatchObject({ versions: 2, attestations: { packs: 0, versions: 0, percent: 0 } });

    const added = await attest(caller, bundle, document, { digest: digestOf(document.content) });
    expect([added.status, added.body]).toMatchObject([
      201,
      {
        digest: digestOf(document.content),
        mediaType: document.mediaType,
        size: document.content.length,
        predicateType: SLSA,
        signers: [{ name: 'builder', keyId: builder.keyId, scheme: 'ed25519' }],
        addedBy: `client:${caller.tenant}-client`,
      },
    ]);
    expect(await attestationsOf(caller, 'built')).toEqual([added.body]);
    const { body: version } = await caller.version('built', '1.0.0');
    expect(version.provenance.attestations).toEqual([added.body.uri]);
    expect(added.headers.get('location')).toBe(added.body.uri);
    const read = await caller.get(added.body.uri);
    expect(read.bytes.equals(document.content)).toBe(true);
    expect(read.headers.get('content-type')).toBe(document.mediaType);
    expect(read.headers.get('repr-digest')).toBe(`sha-256=:${Buffer.from(added.body.digest.slice(7), 'hex').toString('base64')}:`);
    expect((await caller.get(added.body.uri, {}, { 'if-none-match': `"${added.body.digest}"` })).status).toBe(304);
    expect((await caller.send('HEAD', added.body.uri)).headers.get('content-length')).toBe(String(document.content.length));

    await settled(caller);
    const summary = await summaryOf(caller);
    expect(summary.totals).toMatchObject({
      packs: 2,
      versions: 2,
      attestations: { packs: 1, versions: 1, percent: 50, byPredicateType: [{ predicateType: SLSA, versions: 1, percent: 50 }] },
      signatures: { signed: 2, untrusted: 0, unsigned: 0, percent: 100 },
      scans: { scanned: 0, partlyScanned: 2, notScanned: 0 },
      lifecycle: { active: 2, deprecated: 0, archived: 0 },
    });
    expect(summary.byType).toMatchObject([{ type: 'task', versions: 2, attestations: { versions: 1 } }]);
    expect(summary.byChannel).toMatchObject([{ channel: 'edge', versions: 2, attestations: { versions: 1 } }]);
    expect((await summaryOf(caller, { channel: 'stable' })).totals.versions).toBe(0);
    expect((await summaryOf(caller, { type: 'policy' })).totals.versions).toBe(0);
    expect((await summaryOf(await registry.caller())).totals.versions).toBe(0);
    const [entry] = await caller.audit({ packId: 'built', type: 'pack.attestation.added' });
    expect(entry).toMatchObject({
      version: '1.0.0',
      signatures: [added.body.digest],
      data: { predicateType: SLSA, verdictHash: added.body.verdict },
    });
  });

  it('sent again is the one that is there', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'again');
    const document = builder.attestation(bundle.digest, SLSA);
    const answers = await Promise.all(Array.from({ length: 6 }, () => attest(caller, bundle, document)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 200, 201]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await attestationsOf(caller, 'again')).toHaveLength(1);
    await settled(caller);
    expect(await caller.audit({ type: 'pack.attestation.added' })).toHaveLength(1);
  });

  it('may be about the manifest, and in a sigstore bundle', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'by-manifest');
    const { body: version } = await caller.version('by-manifest', '1.0.0');
    const { content } = builder.attestation(version.manifestDigest, SBOM);
    const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
    const hint = Buffer.from(builder.keyId.slice(7), 'hex').toString('base64');
    const document = { mediaType, verificationMaterial: { publicKey: { hint } }, dsseEnvelope: JSON.parse(content.toString()) as object };
    const added = await attest(caller, bundle, { mediaType, content: Buffer.from(JSON.stringify(document)) });
    expect([added.status, added.body.predicateType]).toEqual([201, SBOM]);
  });

  it('that is not accepted changes nothing', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'refusing');
    const other = await publish(caller, 'another');
    const good = builder.attestation(bundle.digest, SLSA);
    const parsed = JSON.parse(good.content.toString()) as { payload: string };
    const payload = Buffer.from(parsed.payload, 'base64').toString().replace('provenance/v1', 'provenance/v2');
    const tampered = Buffer.from(JSON.stringify({ ...parsed, payload: Buffer.from(payload).toString('base64') }));
    const json = { mediaType: good.mediaType, content: Buffer.from('{}') };
    await settled(caller);
    const before = { audit: await caller.audit(), coverage: await coverageOf(caller) };

    const refused: [SignatureDocument, string][] = [
      [builder.attestation(other.digest, SLSA), 'ERR_PACK_ATTESTATION_INVALID'],
      [new SigningKey('builder').attestation(bundle.digest, SLSA), 'ERR_PACK_SIGNATURE_INVALID'],
      [{ ...good, content: tampered }, 'ERR_PACK_SIGNATURE_INVALID'],
      [builder.envelope('{"_type":"https://example.test"}'), 'ERR_PACK_ATTESTATION_INVALID'],
      [builder.envelope('{}', 'application/json'), 'ERR_PACK_SIGNATURE_INVALID'],
      [json, 'ERR_PACK_SIGNATURE_INVALID'],
    ];
    for (const [document, reason] of refused) {
      const { status, body } = await attest(caller, bundle, document);
      expect([status, body.code]).toEqual([422, 'ERR_PACK_ATTESTATION_INVALID']);
      expect(body.errors?.map(({ code }) => code)).toEqual([reason]);
      expect(body.verdict).toMatchObject({ outcome: 'rejected', hash: expect.stringMatching(/^sha256:/) as string });
    }
    const rest: [Answer<Problem>, number, string][] = [
      [await attest(caller, bundle, good, { digest: bundle.digest }), 400, 'ERR_PACK_DIGEST_MISMATCH'],
      [await attest(caller, bundle, { ...good, content: Buffer.alloc(4 * 1024 * 1024 + 1, ' ') }), 413, 'ERR_PACK_TOO_LARGE'],
      [await attest(caller, bundle, { ...good, mediaType: 'application/json' }), 400, 'ERR_PACK_REQUEST_INVALID'],
      [await attest(caller, { ...bundle, version: '9.0.0' }, good), 404, 'ERR_PACK_NOT_FOUND'],
      [await attest(await aPublisher(), bundle, good), 404, 'ERR_PACK_NOT_FOUND'],
      [await attest(await registry.caller(caller.tenant, 'packs.read'), bundle, good), 403, 'ERR_PACK_SCOPE'],
    ];
    for (const [{ status, body }, expected, code] of rest) expect([status, body.code]).toEqual([expected, code]);

    await settled(caller);
    expect(await attestationsOf(caller, 'refusing')).toEqual([]);
    expect(await caller.audit()).toEqual(before.audit);
    expect(await coverageOf(caller)).toBe(before.coverage);
  });

  it('is withdrawn when its signer loses the trust, alone, and comes back with it', async () => {
    const caller = await aPublisher();
    const bundle = await publish(caller, 'distrusted');
    const { body } = await attest(caller, bundle, builder.attestation(bundle.digest, SLSA));
    await attest(caller, bundle, release.attestation(bundle.digest, SBOM));

    await caller.trust(release);
    const gone = await caller.get<Problem>(body.uri);
    expect([gone.status, gone.body.code]).toEqual([403, 'ERR_PACK_WITHDRAWN']);
    expect((await attestationsOf(caller, 'distrusted')).map(({ predicateType }) => predicateType)).toEqual([SBOM]);
    expect((await caller.bundle('distrusted', '1.0.0')).status).toBe(200);
    await settled(caller);
    expect((await summaryOf(caller)).totals.attestations.byPredicateType).toMatchObject([{ predicateType: SBOM, versions: 1 }]);

    await caller.trust(release, builder);
    expect((await caller.get(body.uri)).status).toBe(200);
    expect(await attestationsOf(caller, 'distrusted')).toHaveLength(2);
    await settled(caller);
    expect((await summaryOf(caller)).totals.attestations.byPredicateType).toHaveLength(2);

    await caller.trust(builder);
    const withdrawn = await caller.get<Problem>(body.uri);
    expect([withdrawn.status, withdrawn.body.code]).toEqual([403, 'ERR_PACK_WITHDRAWN']);
  });

  it('is seen by those who see its version, and by nobody else', async () => {
    const caller = await aPublisher();
    const friend = await registry.caller();
    await caller.put('/api/visibility', { shareWith: [friend.tenant] });
    const shared = await publish(caller, 'shared', '1.0.0', { tenantVisibility: [friend.tenant] });
    const hidden = await publish(caller, 'hidden');
    const [one, two] = [
      await attest(caller, shared, builder.attestation(shared.digest, SLSA)),
      await attest(caller, hidden, builder.attestation(hidden.digest, SLSA)),
    ];
    expect(await attestationsOf(friend, 'shared', { namespace: caller.tenant })).toEqual([one.body]);
    expect((await friend.get(one.body.uri)).status).toBe(200);
    expect((await friend.get(two.body.uri)).status).toBe(404);
    expect((await (await registry.caller()).get(one.body.uri)).status).toBe(404);
    const { body: version } = await friend.version('shared', '1.0.0', { namespace: caller.tenant });
    expect(version.provenance.attestations).toEqual([one.body.uri]);
  });
});

describe('stella', () => {
  it('attests a version, lists what is attested and sums up', async () => {
    const caller = await aPublisher();
    await publish(caller, 'typed');
    const folder = mkdtempSync(join(tmpdir(), 'stella-attest-'));
    writeFileSync(join(folder, 'key.pem'), builder.privatePem());
    writeFileSync(join(folder, 'predicate.json'), '{"bomFormat":"CycloneDX"}');
    const stella = (...args: string[]) =>
      runStella([...args, '--output', 'json'], { env: { STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: caller.token ?? '' } });
    const files = ['--predicate', join(folder, 'predicate.json'), '--type', SBOM, '--key', join(folder, 'key.pem')];
    const attested = await stella('pack', 'attest', 'typed@1.0.0', ...files);
    expect([attested.code, JSON.parse(attested.stdout || 'null')]).toMatchObject([
      0,
      { predicateType: SBOM, signers: [{ name: 'builder' }] },
    ]);
    expect(JSON.parse((await stella('pack', 'attestations', 'typed@1.0.0')).stdout)).toMatchObject({
      attestations: [{ predicateType: SBOM }],
    });
    await settled(caller);
    expect(JSON.parse((await stella('compliance', 'summary')).stdout)).toMatchObject({ totals: { attestations: { versions: 1 } } });
    const replayed = await stella(
      'registry',
      'replay-events',
      '--consumer',
      'compliance-coverage',
      '--since',
      '2020-01-01T00:00:00Z',
      '--rebuild',
    );
    expect([replayed.code, JSON.parse(replayed.stdout || 'null')]).toMatchObject([0, { consumer: 'compliance-coverage', refused: 0 }]);
    expect(JSON.parse((await stella('compliance', 'summary')).stdout)).toMatchObject({ totals: { attestations: { versions: 1 } } });
    rmSync(folder, { recursive: true });
  });
});

describe('a replay', () => {
  const replay = (caller: Caller, json: object) => caller.send<ReplayAnswer & Problem>('POST', '/api/replays', { json });

  it('leaves coverage and audit log as they are, with and without a rebuild, and mends what was damaged', async () => {
    const caller = await aPublisher();
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
      const bundle = await publish(caller, 'replayed', version);
      await attest(caller, bundle, builder.attestation(bundle.digest, SLSA));
    }
    await caller.send('DELETE', '/api/packs/replayed/versions/1.0.0');
    await settled(caller);
    const before = { coverage: await coverageOf(caller), audit: await caller.audit() };
    const unchanged = async (): Promise<void> => {
      expect(await coverageOf(caller)).toBe(before.coverage);
      expect(await caller.audit()).toEqual(before.audit);
    };
    const counted = { events: before.audit.length, refused: 0 };
    expect(await replay(caller, { consumer: 'compliance-coverage' })).toMatchObject({ status: 200, body: { ...counted, applied: 0 } });
    await unchanged();
    // All but the policy speak of coverage.
    const rebuilt = { ...counted, applied: before.audit.length - 1 };
    expect(await replay(caller, { consumer: 'compliance-coverage', rebuild: true })).toMatchObject({ status: 200, body: rebuilt });
    await unchanged();
    expect(await replay(caller, { consumer: 'compliance-audit' })).toMatchObject({ status: 200, body: { ...counted, applied: 0 } });
    await unchanged();
    await registry.sql(`update compliance.version_coverage set pack_type = null where tenant = $1`, [caller.tenant]);
    await registry.sql(`delete from compliance.attestation_coverage where tenant = $1`, [caller.tenant]);
    await replay(caller, { consumer: 'compliance-coverage', rebuild: true, since: '2020-01-01T00:00:00Z' });
    await unchanged();
  });

  it('is refused where it would lose something, or where nobody is named', async () => {
    const caller = await aPublisher();
    const { body } = await replay(caller, { consumer: 'compliance-audit', rebuild: true });
    expect([body.status, body.code]).toEqual([409, 'ERR_PACK_APPEND_ONLY']);
    const partial = await replay(caller, {
      consumer: 'compliance-coverage',
      rebuild: true,
      since: new Date(Date.now() + 60_000).toISOString(),
    });
    expect([partial.status, partial.body.code]).toEqual([400, 'ERR_PACK_REQUEST_INVALID']);
    expect((await replay(caller, { consumer: 'nobody' })).body.code).toBe('ERR_PACK_REQUEST_INVALID');
    expect((await replay(caller, { consumer: 'compliance-audit', since: 'yesterday' })).body.code).toBe('ERR_PACK_REQUEST_INVALID');
    const writer = await registry.caller(caller.tenant, 'packs.read packs.write');
    expect((await replay(writer, { consumer: 'compliance-audit' })).body.code).toBe('ERR_PACK_SCOPE');
  });
});

describe('compliance killed in the middle', () => {
  it('gives every event its effect once, while versions are published, attested and rebuilt', async () => {
    const caller = await aPublisher();
    const compliance = registry.part('compliance');
    const wanted = 40;
    let published = 0;
    const load = (async () => {
      await Promise.all(
        Array.from({ length: 4 }, async (_, lane) => {
          for (let n = 0; n < wanted / 4; n++) {
            const bundle = await publish(caller, `lane-${lane}`, `1.0.${n}`);
            expect((await attest(caller, bundle, builder.attestation(bundle.digest, SLSA))).status).toBe(201);
            published += 1;
          }
        }),
      );
    })();
    const rebuilding = (async () => {
      // Some of these die with the process; what they did then never was.
      while (published < wanted) {
        await caller
          .send('POST', '/api/replays', { json: { consumer: 'compliance-coverage', rebuild: true }, signal: AbortSignal.timeout(5_000) })
          .catch(() => null);
        await delay(50);
      }
    })();
    for (let kill = 0; kill < 4; kill++) {
      const until = Math.min(wanted, published + 5);
      await eventually(() => expect(published).toBeGreaterThanOrEqual(until), 30_000);
      await compliance.kill('SIGKILL');
      await delay(100);
      await compliance.start();
    }
    await Promise.all([load, rebuilding]);
    await settled(caller);

    const summary = await summaryOf(caller);
    expect(summary.totals).toMatchObject({
      packs: 4,
      versions: wanted,
      attestations: { versions: wanted, percent: 100 },
      signatures: { signed: wanted },
    });
    expect(summary.byChannel).toMatchObject([{ channel: 'edge', versions: 4 }]);
    const audit = await caller.audit();
    expect(audit.map(({ seq }) => seq)).toEqual(audit.map((_, at) => at + 1));
    const events = await registry.sql<{ event_id: string }>(`select event_id from registry.outbox where tenant = $1`, [caller.tenant]);
    expect(audit.map(({ id }) => id).toSorted()).toEqual(events.map(({ event_id }) => event_id).toSorted());
    const before = await coverageOf(caller);
    const { status, body } = await caller.send<ReplayAnswer>('POST', '/api/replays', {
      json: { consumer: 'compliance-coverage', rebuild: true },
    });
    expect([status, body.events]).toEqual([200, events.length]);
    expect(await coverageOf(caller)).toBe(before);
  }, 120_000);
});
