import { generateKeyPairSync } from 'node:crypto';
import type { VerifyBundleRequest } from '@packs/contracts';
import { canonicalJson, type Check, type PolicyRequirements, type PolicyRule } from '@packs/domain';
import { trustedKeyFromPem } from '@packs/sigstore';
import { aKeylessAuthority, aSigner, type KeylessAuthority } from '@packs/testing';
import { aBundle, aPolicy, aVerifier } from '../evaluation/verifier.fixture';
import { VerifyBundle } from './verify-bundle';

const ISSUER = 'https://issuer.test';
const BUNDLE = aBundle();
const DAY_MS = 24 * 60 * 60 * 1000;
const later = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();
const ed25519 = aSigner('release');
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p256 = trustedKeyFromPem('log-user', pair.publicKey.export({ type: 'spki', format: 'pem' }).toString());
const identityOf = (name: string): string => `https://git.test/acme/${name}`;
const by = (name: string, extensions?: Record<string, string>): PolicyRule => ({
  oidcIssuer: { issuer: ISSUER, identity: identityOf(name), ...(extensions && { extensions }) },
});

const told = (checks: readonly Check[], ...ids: readonly string[]): string[] =>
  checks.filter(({ id }) => ids.includes(id)).map(({ id, outcome, reason }) => `${id} ${outcome} ${reason}`);

describe('what a policy requires of signatures', () => {
  let authority: KeylessAuthority;
  let keyless: Buffer;
  let logged: Buffer;

  beforeAll(async () => {
    authority = await aKeylessAuthority();
    keyless = await authority.bundle(BUNDLE, {
      issuer: ISSUER,
      identity: identityOf('ci'),
      extensions: { 12: 'https://git.test/acme/packs' },
    });
    logged = await authority.loggedBundle(BUNDLE, pair);
  });

  async function judge(signatures: readonly Buffer[], rule: PolicyRule, require?: PolicyRequirements, evaluatedAt = later(0)) {
    const verifier = aVerifier();
    const request: VerifyBundleRequest = {
      tenant: 'acme',
      packId: 'acme.hello',
      version: '1.0.0',
      channel: 'edge',
      policies: [aPolicy({ rule, ...(require && { require }) })],
      evaluatedAt,
      bundle: verifier.blobs.put(BUNDLE),
      signatures: signatures.map(verifier.signature),
      trust: verifier.trust([ed25519.key, p256], 3, [canonicalJson(authority.trustedRoot)]),
    };
    const { verdict, faults } = await new VerifyBundle(verifier.blobs, verifier.signatures).execute(request);
    return { ...verdict, faults };
  }

  const anybody: PolicyRule = { anyOf: [{ keyRef: 'release' }, { keyRef: 'log-user' }, by('ci')] };

  it('has checks of its own only where something is required', async () => {
    const { checks, outcome } = await judge([ed25519.bundle(BUNDLE)], anybody);
    expect(outcome).toBe('accepted');
    expect(checks.map(({ id }) => id)).toEqual(['digest', 'bundle', 'manifest', 'request', 'signature', 'policy']);
  });

  it('counts no signature by an algorithm that is not allowed, and those beside it', async () => {
    const require: PolicyRequirements = { algorithms: ['ecdsa-p256-sha256'] };
    const alone = await judge([ed25519.bundle(BUNDLE)], anybody, require);
    expect(alone.outcome).toBe('rejected');
    expect(told(alone.checks, 'signature', 'algorithm', 'policy')).toEqual([
      'signature pass ok',
      'algorithm fail algorithm-not-allowed',
      'policy skipped not-reached',
    ]);
    expect(alone.faults).toEqual([
      expect.objectContaining({ code: 'ERR_PACK_SIGNATURE_UNTRUSTED', reason: 'algorithm-not-allowed', field: 'signatures[0]' }),
    ]);
    expect(alone.identities).toEqual([]);
    const both = await judge([ed25519.bundle(BUNDLE), keyless], anybody, require);
    expect(both.outcome).toBe('accepted');
    expect(both.identities.map(({ name }) => name)).toEqual([identityOf('ci')]);
    expect((await judge([ed25519.bundle(BUNDLE), keyless], { keyRef: 'release' }, require)).outcome).toBe('rejected');
  });

  it('takes the proof of a log, whoever signed, and no promise in its place', async () => {
    const require: PolicyRequirements = { log: true };
    expect((await judge([keyless], anybody, require)).outcome).toBe('accepted');
    expect((await judge([logged], anybody, require)).outcome).toBe('accepted');
    for (const unproven of [ed25519.bundle(BUNDLE), promiseOf(keyless), promiseOf(logged)]) {
      const { outcome, checks } = await judge([unproven], anybody, require);
      expect(told(checks, 'signature', 'log')).toEqual(['signature pass ok', 'log fail log-not-proven']);
      expect(outcome).toBe('rejected');
      expect((await judge([unproven], anybody)).outcome).toBe('accepted');
    }
  });

  it('takes for not there what a log says of another signature', async () => {
    const other = await authority.loggedBundle(Buffer.from('other'), pair);
    const { outcome, checks } = await judge([withLogOf(logged, other)], anybody, { log: true });
    expect(outcome).toBe('rejected');
    expect(told(checks, 'signature', 'log')).toEqual(['signature pass ok', 'log fail log-not-proven']);
  });

  it.each([
    ['by a certificate', () => keyless],
    ['by a key, in a log', () => logged],
  ])('takes a signature %s for as long as it says', async (_, signature) => {
    const require: PolicyRequirements = { maxAgeDays: 30 };
    const young = await judge([signature()], anybody, require, later(29));
    expect([young.outcome, ...told(young.checks, 'age')]).toEqual(['accepted', 'age pass ok']);
    const old = await judge([signature()], anybody, require, later(31));
    expect([old.outcome, ...told(old.checks, 'age')]).toEqual(['rejected', 'age fail signature-too-old']);
    expect((await judge([signature()], anybody, undefined, later(31))).outcome).toBe('accepted');
  });

  it('takes no signature that nobody dates, where age is asked for', async () => {
    const { outcome, checks } = await judge([ed25519.bundle(BUNDLE)], anybody, { maxAgeDays: 30 });
    expect([outcome, ...told(checks, 'age')]).toEqual(['rejected', 'age fail signature-undated']);
  });

  it('compares extensions of the certificate letter by letter', async () => {
    const repository = { sourceRepositoryURI: 'https://git.test/acme/packs' };
    expect((await judge([keyless], by('ci', repository))).outcome).toBe('accepted');
    for (const extensions of [{ sourceRepositoryURI: 'https://git.test/acme/pack' }, { ...repository, buildTrigger: 'push' }]) {
      const { outcome, checks } = await judge([keyless], by('ci', extensions));
      expect([outcome, ...told(checks, 'policy')]).toEqual(['rejected', 'policy fail ERR_PACK_SIGNATURE_UNTRUSTED']);
    }
    expect((await judge([logged], by('ci', repository))).outcome).toBe('rejected');
  });

  it('counts every identity once towards a threshold', async () => {
    const again = await authority.bundle(BUNDLE, { issuer: ISSUER, identity: identityOf('ci') });
    const two = (...of: PolicyRule[]): PolicyRule => ({ threshold: { count: 2, of } });
    const ofThree = two({ keyRef: 'release' }, { keyRef: 'log-user' }, by('ci'));
    const release = ed25519.bundle(BUNDLE);
    const table: [string, Buffer[], PolicyRule, string][] = [
      ['one key', [release], ofThree, 'rejected'],
      ['one key twice', [release, release], ofThree, 'rejected'],
      ['two certificates of one identity', [keyless, again], ofThree, 'rejected'],
      ['two certificates for two extensions of one identity', [keyless, again], two(by('ci'), by('ci', EXTENSION)), 'rejected'],
      ['two keys', [release, logged], ofThree, 'accepted'],
      ['a key and an identity', [release, keyless], ofThree, 'accepted'],
      ['one key that two rules name', [release], two({ keyRef: 'release' }, { anyOf: [{ keyRef: 'release' }, by('ci')] }), 'rejected'],
      [
        'two for rules that share one',
        [release, keyless],
        two({ keyRef: 'release' }, { anyOf: [{ keyRef: 'release' }, by('ci')] }),
        'accepted',
      ],
    ];
    for (const [name, signatures, rule, outcome] of table) expect([name, (await judge(signatures, rule)).outcome]).toEqual([name, outcome]);
  });
});

const EXTENSION = { sourceRepositoryURI: 'https://git.test/acme/packs' };

interface Bundle {
  mediaType: string;
  verificationMaterial: {
    certificate?: object;
    x509CertificateChain?: object;
    tlogEntries: { inclusionProof?: object }[];
  };
}

/** Of an earlier version, which asks for no more than the promise of the log. */
function promiseOf(bundle: Buffer): Buffer {
  const value = JSON.parse(bundle.toString()) as Bundle;
  value.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.1';
  const { certificate, tlogEntries, ...rest } = value.verificationMaterial;
  const entries = tlogEntries.map(({ inclusionProof: _, ...entry }) => entry);
  const chain = certificate && { x509CertificateChain: { certificates: [certificate] } };
  value.verificationMaterial = { ...rest, ...chain, tlogEntries: entries };
  return Buffer.from(JSON.stringify(value));
}

function withLogOf(bundle: Buffer, other: Buffer): Buffer {
  const value = JSON.parse(bundle.toString()) as Bundle;
  value.verificationMaterial.tlogEntries = (JSON.parse(other.toString()) as Bundle).verificationMaterial.tlogEntries;
  return Buffer.from(JSON.stringify(value));
}
