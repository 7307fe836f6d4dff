import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem, TrustAnswer, TrustBundleAnswer } from '@packs/contracts';
import { eventually } from '@packs/testing';
import type { Caller } from './caller';
import { CommandLine } from './command-line';
import { aBundle, aManifest } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const DAY = 24 * 3_600_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY).toISOString();

let registry: Registry;
beforeAll(async () => {
  registry = await Registry.shared();
});

interface Statement {
  readonly version?: number;
  readonly validFrom?: string;
  readonly validUntil?: string;
  readonly root?: readonly SigningKey[];
  readonly threshold?: number;
  readonly trusted?: readonly SigningKey[];
}

/** Somebody who hands out what the tenant trusts, with their keys beside them. */
class Owner {
  readonly line: CommandLine;
  readonly keys = { a: new SigningKey('a'), b: new SigningKey('b', 'ed25519'), c: new SigningKey('c') };

  constructor(private readonly admin: Caller) {
    this.line = new CommandLine({ STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: admin.token ?? '' });
    for (const [name, key] of Object.entries(this.keys)) writeFileSync(this.path(`${name}.key.pem`), key.privatePem(), { mode: 0o600 });
  }

  path(name: string): string {
    return join(this.line.folder, name);
  }

  /** Writes what is to be signed, and has it signed by one after the other. */
  async signed(file: string, statement: Statement, signers: readonly ('a' | 'b' | 'c')[]): Promise<string> {
    const { root = [this.keys.a, this.keys.b], threshold = 2, trusted = [], ...times } = statement;
    const asKeys = (keys: readonly SigningKey[]) => keys.map(({ name, publicKey, scheme }) => ({ name, publicKey, scheme }));
    const said = {
      ...{ schema: 'stellaops.io/trust-bundle.v1', tenant: this.admin.tenant, version: 1, validFrom: inDays(-1), validUntil: inDays(90) },
      ...times,
      root: { keys: asKeys(root), threshold },
      material: { keys: asKeys(trusted) },
    };
    writeFileSync(this.path(file), JSON.stringify(said));
    for (const signer of signers) {
      const { code, stderr } = await this.line.registry('trust', 'sign', file, '--key', `${signer}.key.pem`, '--out', file);
      expect([code, stderr]).toEqual([0, '']);
    }
    return file;
  }

  async rotate(file: string): Promise<string> {
    const { code, stderr } = await this.line.registry('trust', 'rotate', file);
    return code === 0 ? 'rotated' : (/ERR_\w+/.exec(stderr)?.[0] ?? stderr);
  }

  async validate(file: string, ...more: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await new CommandLine().registry('trust', 'validate', this.path(file), ...more);
    return code === 0 ? stdout : (/ERR_\w+/.exec(stderr)?.[0] ?? stderr);
  }
}

it('is rotated from a signed file to the next: what it no longer trusts is withdrawn at once', async () => {
  const admin = await registry.caller();
  const owner = new Owner(admin);
  const [first, second] = [new SigningKey('release'), new SigningKey('release-next')];
  expect(await owner.rotate(await owner.signed('1.json', { trusted: [first] }, ['a', 'b']))).toBe('rotated');
  await admin.policy({ anyOf: [{ keyRef: 'release' }, { keyRef: 'release-next' }] });
  const bundle = aBundle(aManifest('bundled'));
  expect((await admin.publish(bundle, { signatures: [first.sigstore(bundle.bytes)] })).status).toBe(201);

  const next = await owner.signed('2.json', { version: 2, trusted: [second] }, ['a', 'b']);
  expect(await owner.validate(next, '--previous', owner.path('1.json'))).toMatch(/valid: +yes/);
  expect((await admin.version('bundled', '1.0.0')).status).toBe(200);
  expect(await owner.rotate(next)).toBe('rotated');
  const { status, body } = await admin.version('bundled', '1.0.0');
  expect([status, body.code]).toEqual([403, 'ERR_PACK_WITHDRAWN']);

  const { trust, bundle: shown } = await owner.line.json<{ trust: TrustAnswer; bundle: TrustBundleAnswer }>('registry', 'trust', 'show');
  expect(trust).toMatchObject({ epoch: 2, keys: [{ name: 'release-next' }] });
  expect(shown).toMatchObject({
    version: 2,
    material: trust.digest,
    epoch: 2,
    root: { threshold: 2 },
    importedBy: `client:${admin.tenant}-client`,
  });
  expect((await owner.line.registry('trust', 'show')).stdout).toMatch(/in step: +yes/);
  const types = await eventually(async () => {
    const found = (await admin.audit()).map(({ type }) => type).filter(type => type.startsWith('registry.trust'));
    expect(found).toHaveLength(4);
    return found;
  });
  expect(types).toEqual(['registry.trust.rotated', 'registry.trust.updated', 'registry.trust.rotated', 'registry.trust.updated']);
});

it('takes root keys from the old ones and the new ones, and refuses everything else without changing anything', async () => {
  const admin = await registry.caller();
  const owner = new Owner(admin);
  const { c } = owner.keys;
  const release = new SigningKey('release');
  expect(await owner.rotate(await owner.signed('1.json', { version: 5, trusted: [release] }, ['a', 'b']))).toBe('rotated');
  const before = [(await admin.get('/api/trust')).body, (await admin.get('/api/trust/bundle')).body];

  const refusals: [string, Statement, readonly ('a' | 'b' | 'c')[], string][] = [
    ['one signature too few', { version: 6 }, ['a'], 'ERR_TRUST_BUNDLE_UNSIGNED'],
    ['a root of its own', { version: 6, root: [c], threshold: 1 }, ['c'], 'ERR_TRUST_BUNDLE_UNSIGNED'],
    ['new root keys that did not sign', { version: 6, root: [c], threshold: 1 }, ['a', 'b'], 'ERR_TRUST_BUNDLE_UNSIGNED'],
    ['an older version', { version: 4 }, ['a', 'b'], 'ERR_TRUST_BUNDLE_ROLLBACK'],
    ['the same version', { version: 5 }, ['a', 'b'], 'ERR_TRUST_BUNDLE_ROLLBACK'],
    ['a time that is over', { version: 6, validUntil: inDays(-0.5) }, ['a', 'b'], 'ERR_TRUST_BUNDLE_EXPIRED'],
  ];
  for (const [name, statement, signers, code] of refusals) {
    const file = await owner.signed('refused.json', statement, signers);
    expect([name, await owner.rotate(file)]).toEqual([name, code]);
    expect([name, await owner.validate(file, '--previous', owner.path('1.json'))]).toEqual([name, code]);
  }
  expect([(await admin.get('/api/trust')).body, (await admin.get('/api/trust/bundle')).body]).toEqual(before);

  expect(await owner.rotate(await owner.signed('6.json', { version: 6, root: [c], threshold: 1 }, ['a', 'b', 'c']))).toBe('rotated');
  expect(await owner.rotate(await owner.signed('7.json', { version: 7 }, ['a', 'b']))).toBe('ERR_TRUST_BUNDLE_UNSIGNED');
});

it('is checked without a registry: warnings of what ends, refusal of what must not be trusted', async () => {
  const owner = new Owner(await registry.caller());
  const file = await owner.signed('soon.json', { validUntil: inDays(5) }, ['a', 'b']);
  expect(await owner.validate(file)).toMatch(/warnings: +bundle version 1 ends /);
  expect(await owner.validate(file, '--warn-days', '1')).not.toMatch(/warnings/);
  expect(await owner.validate(file, '--tenant', 'globex')).toBe('ERR_TRUST_BUNDLE_TENANT');
  const authority = { certChain: { certificates: [] }, validFor: {} };
  const root = { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1', certificateAuthorities: [authority] };
  const envelope = JSON.parse(readFileSync(owner.path(file), 'utf8')) as { payload: string };
  const said = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as object;
  writeFileSync(owner.path('no-start.json'), JSON.stringify({ ...said, material: { keys: [], trustedRoots: [root] } }));
  const { code, stderr } = await owner.line.registry('trust', 'sign', 'no-start.json', '--key', 'a.key.pem', '--out', 'out.json');
  expect([code === 0, stderr]).toEqual([false, expect.stringContaining('/validFor/start is missing')]);
});

it('is for administrators, and for nobody who has none', async () => {
  const admin = await registry.caller();
  const reader = await registry.caller(admin.tenant, 'packs.read');
  const { status, body } = await admin.get<Problem>('/api/trust/bundle');
  expect([status, body.code]).toEqual([404, 'ERR_PACK_NOT_FOUND']);
  const put = await reader.put<Problem>('/api/trust/bundle', { payload: 'e30=', payloadType: 'x', signatures: [] });
  expect([put.status, put.body.code]).toEqual([403, 'ERR_PACK_SCOPE']);
});
