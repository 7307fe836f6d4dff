import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PolicyTrialAnswer, PolicyVersionList, ReplayFinding } from '@packs/contracts';
import { builtFile } from '../tools/stack/repository-root';
import type { Caller } from './caller';
import { CommandLine, PLAIN_ENVIRONMENT } from './command-line';
import { aBundle, aManifest } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

jest.setTimeout(180_000);

const [release, board, stranger] = [new SigningKey('release'), new SigningKey('board', 'ed25519'), new SigningKey('stranger')];
const rsa = new SigningKey('rsa', 'rsa-pss-sha256');
let registry: Registry;
let owner: Caller;

interface Replayed {
  readonly examined: number;
  readonly same: number;
  readonly differing: number;
  readonly skipped: number;
  readonly complete: boolean;
  readonly findings: readonly ReplayFinding[];
}

/** What `npm start` leaves for auditors: a login that reads, and where the bytes lie. */
function auditorSettings(): Record<string, string> {
  const lines = readFileSync(join(registry.facts.dataDir, 'auditor.env'), 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

async function replay(...args: readonly string[]): Promise<Replayed & { code: number | null; stderr: string }> {
  const { code, stdout, stderr } = await new CommandLine(auditorSettings()).registry('policy', 'replay', '--output', 'json', ...args);
  if (stdout === '') throw new Error(`the replay ended with ${code}: ${stderr}`);
  return { ...(JSON.parse(stdout) as Replayed), code, stderr };
}

async function publish(packId: string, keys: readonly SigningKey[], form: 'sigstore' | 'dsse' | 'raw' = 'sigstore', version = '1.0.0') {
  const bundle = aBundle(aManifest(packId, version));
  const { status } = await owner.publish(bundle, { signatures: keys.map(key => key[form](bundle.bytes)) });
  return { bundle, status };
}

const promote = (packId: string, channel = 'stable') =>
  owner.send('POST', `/api/packs/${packId}/promote`, { json: { version: '1.0.0', channel } });

const verdicts = async (): Promise<number> =>
  Number((await registry.sql<{ n: string }>(`select count(*) as n from registry.verdicts where tenant = $1`, [owner.tenant]))[0]?.n);

/** A tenant's history: signatures of several kinds, and trust and policies that change in between. */
async function makeHistory(): Promise<void> {
  expect((await publish('untrusted', [release])).status).toBe(422);
  await owner.trust(release, board);
  await owner.policy({ keyRef: 'release' }, { unsigned: 'pending' });
  await owner.policy({ keyRef: 'board' }, { channel: 'stable' }, 'stable');
  expect((await publish('one', [release])).status).toBe(201);
  expect((await publish('both', [release, board], 'dsse')).status).toBe(201);
  expect((await publish('waiting', [])).status).toBe(202);
  expect((await publish('waiting', [release])).status).toBe(201);
  expect((await promote('one')).status).toBe(422);
  expect((await promote('both')).status).toBe(200);
  await owner.trust(release, board, rsa);
  await owner.policy({ threshold: { count: 2, of: [{ keyRef: 'release' }, { keyRef: 'board' }, { keyRef: 'rsa' }] } });
  expect((await publish('two-of-three', [rsa, release], 'raw')).status).toBe(201);
  expect((await publish('one-of-three', [rsa, stranger])).status).toBe(422);
  const { bundle } = await publish('attested', [rsa, board]);
  await owner.trust(board, rsa);
  await owner.policy({ keyRef: 'board' });
  const { mediaType, content } = board.attestation(bundle.digest, 'https://slsa.dev/provenance/v1');
  const attested = await owner.send('POST', `/api/packs/attested/versions/1.0.0/attestations`, {
    headers: { 'content-type': mediaType },
    body: content,
  });
  expect(attested.status).toBe(201);
  await owner.trust(board);
}

beforeAll(async () => {
  registry = await Registry.shared();
  owner = await registry.caller();
  await makeHistory();
});

describe('registry policy replay', () => {
  it('finds every verdict again after keys and policies have changed, without a single process of the registry', async () => {
    const parts = ['api-gateway', 'publisher', 'verifier'] as const;
    const withoutAll = parts.reduce<() => Promise<{ run: Awaited<ReturnType<typeof replay>>; all: number }>>(
      (work, part) => () => registry.part(part).without(work),
      async () => ({ run: await replay('--tenant', owner.tenant), all: await verdicts() }),
    );
    const { run, all } = await withoutAll();
    expect(run.findings).toEqual([]);
    expect(run).toMatchObject({ code: 0, examined: all, same: all, complete: true });
    // Rejected twice, and rejected for a channel; waiting; published five times; promoted; attested; and what changes of trust have withdrawn.
    expect(all).toBeGreaterThanOrEqual(11);
  });

  it('goes on after it was killed in the middle, and leaves none out', async () => {
    for (let n = 0; n < 45; n += 1) expect((await publish(`many-${n}`, [board])).status).toBe(201);
    const state = join(new CommandLine().folder, 'state.json');
    const args = ['policy', 'replay', '--tenant', owner.tenant, '--state', state, '--output', 'json'];
    const killed = spawn(process.execPath, [builtFile('tools', 'cli', 'registry', 'main.js'), ...args], {
      env: { ...PLAIN_ENVIRONMENT, ...auditorSettings() },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    killed.stderr.once('data', () => killed.kill('SIGKILL'));
    expect((await once(killed, 'close'))[1]).toBe('SIGKILL');
    expect(existsSync(state)).toBe(true);
    const { examined } = JSON.parse(readFileSync(state, 'utf8')) as { examined: number };
    const all = await verdicts();
    expect([examined > 0, examined < all]).toEqual([true, true]);
    const run = await replay('--tenant', owner.tenant, '--state', state);
    expect(run).toMatchObject({ code: 0, examined: all, same: all, complete: true, findings: [] });
    expect(run.stderr).not.toContain(`replayed 4 of ${all}`);
  });

  it('names the versions whose signature was damaged, and whose verdict somebody wrote over', async () => {
    // Who publishes no longer trusts the key, so that nobody is told of these versions.
    const [blob] = await registry.sql<{ object_key: string }>(
      `select b.object_key from registry.signatures s join content.blobs b using (digest) where s.tenant = $1 and s.pack_id = 'both' limit 1`,
      [owner.tenant],
    );
    const key = blob?.object_key ?? '';
    const file = join(fileURLToPath(String(auditorSettings()['BLOB_STORE'])), 'objects', key.at(-1) ?? '', key);
    const bytes = readFileSync(file);
    const [{ hash } = { hash: '' }] = await registry.sql<{ hash: string }>(
      `select verdict_hash as hash from registry.pack_versions where tenant = $1 and pack_id = 'one'`,
      [owner.tenant],
    );
    const restore = `update registry.verdicts set document = jsonb_set(document, '{policy,version}', $2) where tenant = $3 and hash = $1`;
    try {
      writeFileSync(file, Buffer.from(bytes).fill(0x20, 10, 20));
      await registry.sql(restore, [hash, '7', owner.tenant]);
      const run = await replay('--tenant', owner.tenant);
      expect([run.code, run.stderr]).toEqual([6, expect.stringContaining(`${run.findings.length} of`)]);
      const told = run.findings.map(({ packId, version, outcome, obstacle }) => [packId, version, outcome, obstacle].join(' '));
      expect(told.filter(one => one.startsWith('one'))).toEqual(['one 1.0.0 altered ']);
      // Its publish and its promotion, and what became of it when its keys were no longer trusted.
      expect([told.length - 1 >= 2, [...new Set(told)].toSorted()]).toEqual([true, ['both 1.0.0 skipped damaged', 'one 1.0.0 altered ']]);
      expect(run.findings.find(({ outcome }) => outcome === 'altered')).toMatchObject({
        verdict: hash,
        found: expect.stringMatching(/^sha256:/) as string,
      });
    } finally {
      writeFileSync(file, bytes);
      await registry.sql(restore, [hash, '1', owner.tenant]);
    }
    expect((await replay('--tenant', owner.tenant)).code).toBe(0);
  });

  it('needs its own login', async () => {
    const { code, stderr } = await new CommandLine().registry('policy', 'replay');
    expect([code, stderr]).toEqual([2, expect.stringContaining('AUDITOR_DATABASE_URL is required')]);
  });
});

describe('the history of a policy', () => {
  it('has every version with who wrote it and when, by REST and on the command line', async () => {
    const { body } = await owner.get<PolicyVersionList>('/api/policies/default/versions');
    expect(body.versions.map(({ version, active, createdBy }) => [version, active, createdBy])).toEqual(
      [3, 2, 1].map(version => [version, version === 3, `client:${owner.tenant}-client`]),
    );
    expect(body.versions.map(({ rule }) => Object.keys(rule)[0])).toEqual(['keyRef', 'threshold', 'keyRef']);
    const [newest, second, first] = body.versions;
    expect([newest?.supersededAt, second?.supersededAt, first?.supersededAt]).toEqual([null, newest?.createdAt, second?.createdAt]);
    const named = await registry.sql<{ version: string; digest: string }>(
      `select d.document->'policy'->>'version' as version, d.document->'policy'->>'digest' as digest
       from registry.pack_versions v join registry.verdicts d on d.tenant = v.tenant and d.hash = v.verdict_hash where v.tenant = $1 and v.pack_id = 'one'`,
      [owner.tenant],
    );
    expect(named).toEqual([{ version: '1', digest: first?.digest }]);

    const pages: number[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: PolicyVersionList = (
        await owner.get<PolicyVersionList>('/api/policies/default/versions', { limit: 1, ...(cursor && { cursor }) })
      ).body;
      pages.push(...page.versions.map(({ version }) => version));
      cursor = page.next;
    }
    expect(pages).toEqual([3, 2, 1]);
    expect((await owner.get('/api/policies/nobody/versions')).status).toBe(404);
    const who = new CommandLine({ STELLA_REGISTRY_URL: owner.base, STELLA_TOKEN: String(owner.token) });
    expect((await who.json<PolicyVersionList>('policy', 'history', 'default')).versions).toEqual(body.versions);
    expect((await who.stella('policy', 'history', 'default')).stdout).toMatch(/^VERSION +ACTIVE +SINCE/);
  });
});

describe('stella policy what-if', () => {
  it('lists exactly what another policy would decide otherwise, and changes nothing', async () => {
    await owner.trust(release, board, rsa);
    const who = new CommandLine({ STELLA_REGISTRY_URL: owner.base, STELLA_TOKEN: String(owner.token) });
    const file = join(who.folder, 'policy.json');
    writeFileSync(file, JSON.stringify({ rule: { keyRef: 'rsa' }, unsigned: 'reject' }));
    const before = await registry.sql(`select * from registry.policies where tenant = $1 order by name, version`, [owner.tenant]);
    const found = await who.json<Omit<PolicyTrialAnswer, 'next'>>('policy', 'what-if', 'default', '--file', file);
    const told = found.changes.map(({ packId, version, channel, now, then }) => [
      packId,
      version,
      channel,
      now.outcome,
      then.outcome,
      then.check,
    ]);
    // `both` and `attested` have the board's signature, `attested` that of rsa as well; what nobody of the two signed is refused before and after.
    expect(told.filter(([packId]) => !String(packId).startsWith('many-'))).toEqual([
      ['both', '1.0.0', 'edge', 'accepted', 'rejected', 'policy'],
      ['two-of-three', '1.0.0', 'edge', 'rejected', 'accepted', 'policy'],
    ]);
    expect(told.filter(([packId]) => String(packId).startsWith('many-'))).toHaveLength(45);
    expect(found.examined).toBe(51);
    expect(await registry.sql(`select * from registry.policies where tenant = $1 order by name, version`, [owner.tenant])).toEqual(before);
    const { stdout, stderr } = await who.stella('policy', 'what-if', 'default', '--file', file);
    expect(stdout).toMatch(
      /both +1\.0\.0 +edge +accepted by default@3 \(policy: ok\) +rejected by default@4 \(policy: ERR_PACK_SIGNATURE_UNTRUSTED\)/,
    );
    expect(stderr).toContain('51 decisions gone through, 47 would be others');
  });

  it('is for administrators, and refuses what is no policy', async () => {
    const reader = await registry.caller(owner.tenant, 'packs.read');
    const path = '/api/policies/default/what-if';
    expect((await reader.send('POST', path, { json: { rule: { keyRef: 'rsa' } } })).status).toBe(403);
    const refused = await owner.send('POST', path, { json: { rule: { nobody: 'rsa' } } });
    expect([refused.status, refused.body['code']]).toEqual([400, 'ERR_PACK_POLICY_INVALID']);
    const lost = await owner.send('POST', path, { json: { rule: { keyRef: 'rsa' }, cursor: 'somewhere' } });
    expect([lost.status, lost.body['errors']]).toEqual([400, [expect.objectContaining({ field: 'cursor' })]]);
  });
});
