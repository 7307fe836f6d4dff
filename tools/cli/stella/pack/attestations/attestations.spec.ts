import { createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MEDIA_TYPES, sha256, type AttestationMediaType } from '@packs/domain';
import { trustedKeyFromPem, verifyAttestation } from '@packs/sigstore';
import { bodyOf, json, LocalServer, problem } from '../../../testing/local-server';
import { runRegistry, runStella, type Run } from '../../../testing/run-cli';

const DIGEST = sha256('bundle');
const MANIFEST = sha256('manifest');
const VERSION = 'GET /api/packs/acme.hello/versions/1.2.0';
const ATTESTATIONS = '/api/packs/acme.hello/versions/1.2.0/attestations';
const SLSA = 'https://slsa.dev/provenance/v1';
const VIEW = {
  digest: sha256('document'),
  mediaType: MEDIA_TYPES.sigstoreBundle,
  size: 8,
  predicateType: SLSA,
  manifestDigest: sha256('referrer'),
  signers: [{ name: 'builder', keyId: 'sha256:k', scheme: 'ed25519' }],
  verdict: 'sha256:v',
  addedAt: '2026-01-17T08:00:00.000Z',
  addedBy: 'user:alice',
  uri: 'u',
};

let server: LocalServer;
let folder: string;
let env: Record<string, string>;
const sent: { type: string | undefined; body: Buffer }[] = [];
const stella = (...args: string[]): Promise<Run> => runStella(args, { env });
const inFolder = (name: string): string => path.join(folder, name);

beforeEach(async () => {
  sent.length = 0;
  folder = mkdtempSync(path.join(tmpdir(), 'stella-attest-'));
  server = new LocalServer({
    [VERSION]: (_, response) => json(response, { digest: DIGEST, manifestDigest: MANIFEST }),
    [`POST ${ATTESTATIONS}`]: async (request, response) => {
      sent.push({ type: request.headers['content-type'], body: await bodyOf(request) });
      json(response, VIEW, 201);
    },
  });
  env = { STELLA_REGISTRY_URL: await server.start(), STELLA_TOKEN: 'secret-token' };
  writeFileSync(inFolder('predicate.json'), '{"builder":{"id":"https://ci.test"}}');
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const KEYS: Readonly<Record<string, () => { privateKey: KeyObject; publicKey: KeyObject }>> = {
  ed25519: () => generateKeyPairSync('ed25519'),
  'ecdsa-p256-sha256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'rsa-pkcs1-sha256': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'rsa-pss-sha256': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

function aKey(scheme = 'ed25519'): string {
  const pair = KEYS[scheme]?.() ?? generateKeyPairSync('ed25519');
  writeFileSync(inFolder('key.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

const attest = (...more: string[]): Promise<Run> =>
  stella(
    'pack',
    'attest',
    'acme.hello@1.2.0',
    '--predicate',
    inFolder('predicate.json'),
    '--type',
    SLSA,
    '--key',
    inFolder('key.pem'),
    ...more,
  );

describe('stella pack attest', () => {
  it.each(Object.keys(KEYS))('adds a statement about the bundle and the manifest, signed by a key of scheme %s', async scheme => {
    const publicKey = aKey(scheme);
    const run = await attest('--scheme', scheme);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toContain(VIEW.digest);
    const [{ type, body } = { type: '', body: Buffer.of() }] = sent;
    expect(type).toBe(MEDIA_TYPES.sigstoreBundle);
    const keys = [trustedKeyFromPem('builder', publicKey, scheme as never)];
    for (const subject of [DIGEST, MANIFEST]) {
      const result = verifyAttestation({ mediaType: type as AttestationMediaType, content: body, subjects: [subject], keys });
      expect(result).toMatchObject({ outcome: 'verified', predicateType: SLSA });
    }
    const { dsseEnvelope } = JSON.parse(body.toString()) as { dsseEnvelope: { payload: string } };
    expect(JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString())).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      predicate: { builder: { id: 'https://ci.test' } },
      subject: [{ name: 'acme.hello-1.2.0.tgz' }, { name: 'acme.hello@1.2.0' }],
    });
  });

  it('signs what DSSE v1.0 says', async () => {
    const publicKey = aKey();
    await attest();
    const { dsseEnvelope } = JSON.parse(sent[0]?.body.toString() ?? '') as {
      dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
    };
    const payload = Buffer.from(dsseEnvelope.payload, 'base64');
    const message = Buffer.concat([Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${payload.length} `), payload]);
    const signature = Buffer.from(dsseEnvelope.signatures[0]?.sig ?? '', 'base64');
    expect(verify(null, message, createPublicKey(publicKey), signature)).toBe(true);
  });

  it.each(['[]', '"text"', '{', ''])('sends nothing when the predicate is %j', async text => {
    aKey();
    writeFileSync(inFolder('predicate.json'), text);
    const run = await attest();
    expect(run.code).not.toBe(0);
    expect(run.stderr).toContain('ERR_PACK_ATTESTATION_INVALID');
    expect(sent).toEqual([]);
  });

  it('tells why the registry refuses', async () => {
    aKey();
    const faults = [{ code: 'ERR_PACK_SIGNATURE_UNTRUSTED', message: 'the signature names a key that is not trusted' }];
    server.on(`POST ${ATTESTATIONS}`, (_, response) => problem(response, 422, 'ERR_PACK_ATTESTATION_INVALID', 'not accepted', faults));
    const run = await attest();
    expect(run.code).toBe(4);
    expect(run.stderr).toContain('the signature names a key that is not trusted [ERR_PACK_SIGNATURE_UNTRUSTED]');
  });
});

describe('stella pack attestations', () => {
  it('lists them', async () => {
    server.on(`GET ${ATTESTATIONS}`, (_, response) => json(response, { attestations: [VIEW] }));
    const run = await stella('pack', 'attestations', 'acme.hello@1.2.0', '--namespace', 'globex');
    expect(run.stdout.split('\n')[1]).toMatch(new RegExp(`^${SLSA}\\s+builder\\s+2026-01-17T08:00:00.000Z\\s+8\\s+${VIEW.digest}$`));
    expect(server.requests.at(-1)?.query.get('namespace')).toBe('globex');
  });

  it('saves one as it is', async () => {
    server.on(`GET ${ATTESTATIONS}/${VIEW.digest}`, (_, response) => void response.end('document'));
    const out = inFolder('a.json');
    expect(await stella('pack', 'attestations', 'acme.hello@1.2.0', '--save', VIEW.digest, '--out', out)).toMatchObject({ code: 0 });
    expect(readFileSync(out, 'utf8')).toBe('document');
  });

  it('saves nothing that is not what was asked for', async () => {
    server.on(`GET ${ATTESTATIONS}/${VIEW.digest}`, (_, response) => void response.end('another'));
    const out = inFolder('a.json');
    const run = await stella('pack', 'attestations', 'acme.hello@1.2.0', '--save', VIEW.digest, '--out', out);
    expect(run.code).toBe(6);
    expect(() => readFileSync(out)).toThrow();
  });
});

describe('stella compliance summary', () => {
  const coverage = (versions: number) => ({
    packs: 1,
    versions,
    attestations: { packs: 0, versions: 1, percent: 50, byPredicateType: [{ predicateType: SLSA, versions: 1, percent: 50 }] },
    signatures: { signed: versions, untrusted: 0, unsigned: 0, percent: 100 },
    scans: { notScanned: versions },
    lifecycle: { active: versions, deprecated: 0, archived: 0 },
  });
  const summary = {
    tenant: 'acme',
    asOf: null,
    totals: coverage(2),
    byType: [{ type: 'task', ...coverage(2) }],
    byChannel: [{ channel: 'edge', ...coverage(1) }],
  };

  beforeEach(() => server.on('GET /api/compliance/summary', (_, response) => json(response, summary)));

  it('shows the whole, each type, each channel and what is attested', async () => {
    const run = await stella('compliance', 'summary', '--channel', 'edge', '--type', 'task');
    const lines = run.stdout.split('\n').map(line => line.split(/\s{2,}/));
    expect(lines.slice(1, 4)).toEqual([
      ['all', '1', '2', '2 (100%)', '1 (50%)', '2', '0', '0'],
      ['type task', '1', '2', '2 (100%)', '1 (50%)', '2', '0', '0'],
      ['channel edge', '1', '1', '1 (100%)', '1 (50%)', '1', '0', '0'],
    ]);
    expect(run.stdout).toContain(SLSA);
    expect(Object.fromEntries(server.requests.at(-1)?.query ?? [])).toEqual({ channel: 'edge', type: 'task' });
  });

  it('prints the answer as it is with --output json', async () => {
    expect(JSON.parse((await stella('compliance', 'summary', '--output', 'json')).stdout)).toEqual(summary);
  });
});

describe('replay-events', () => {
  const bodies: unknown[] = [];
  beforeEach(() => {
    bodies.length = 0;
    server.on('POST /api/replays', async (request, response) => {
      bodies.push(JSON.parse((await bodyOf(request)).toString()));
      json(response, { consumer: 'compliance-coverage', events: 7, applied: 2, refused: 0 });
    });
  });

  it.each([
    ['registry', (...args: string[]) => runRegistry(args, { env })],
    ['stella registry', (...args: string[]) => stella('registry', ...args)],
  ])('of %s asks for a replay and tells what came of it', async (_, run) => {
    const { code, stdout } = await run('replay-events', '--consumer', 'compliance-coverage', '--since', '2026-01-01', '--rebuild');
    expect(code).toBe(0);
    expect(stdout).toMatch(/events:\s+7\napplied:\s+2\n/);
    expect(bodies).toEqual([{ consumer: 'compliance-coverage', since: '2026-01-01T00:00:00.000Z', rebuild: true }]);
  });

  it('leaves out what is not said', async () => {
    await stella('registry', 'replay-events', '--consumer', 'compliance-audit');
    expect(bodies).toEqual([{ consumer: 'compliance-audit', rebuild: false }]);
  });

  it('refuses a time that is none', async () => {
    expect(await stella('registry', 'replay-events', '--consumer', 'compliance-audit', '--since', 'yesterday')).toMatchObject({ code: 2 });
    expect(bodies).toEqual([]);
  });
});
