import type { VerifyBundleRequest } from '@packs/contracts';
import { canonicalDigest, encodePackConfig, policyDigest, sha256, verdictHash, type Check } from '@packs/domain';
import { aSigner } from '@packs/testing';
import { aBundle, aPolicy, aVerifier, MANIFEST } from '../evaluation/verifier.fixture';
import { VerifyBundle } from './verify-bundle';

const release = aSigner('release');
const stranger = aSigner('stranger');
const BUNDLE = aBundle();

type Setting = Partial<Omit<VerifyBundleRequest, 'bundle' | 'signatures' | 'trust'>> & {
  readonly bundle?: Buffer;
  readonly signatures?: readonly Buffer[];
  readonly trusted?: readonly ReturnType<typeof aSigner>[];
};

function setUp({ bundle = BUNDLE, signatures = [release.bundle(bundle)], trusted = [release], ...changes }: Setting = {}) {
  const verifier = aVerifier();
  const request: VerifyBundleRequest = {
    tenant: 'acme',
    packId: 'acme.hello',
    version: '1.0.0',
    channel: 'edge',
    policies: [aPolicy()],
    evaluatedAt: '2026-01-17T08:00:00.000Z',
    ...changes,
    bundle: verifier.blobs.put(bundle),
    signatures: signatures.map(verifier.signature),
    trust: verifier.trust(trusted.map(({ key }) => key)),
  };
  const useCase = new VerifyBundle(verifier.blobs, verifier.signatures, verifier.scans);
  return { ...verifier, request, useCase, execute: () => useCase.execute(request) };
}

const told = (checks: readonly Check[]) => checks.map(({ id, outcome, reason }) => `${id} ${outcome} ${reason}`);

describe('VerifyBundle', () => {
  it('accepts a bundle that its policy accepts and stores the config', async () => {
    const { execute, request, blobs } = setUp();
    const { verdict, verdictHash: hash, faults, pack } = await execute();
    expect(faults).toEqual([]);
    expect(verdict).toEqual({
      schema: 'stellaops.io/verdict.v1',
      outcome: 'accepted',
      subject: { bundle: request.bundle.digest, config: pack?.config?.digest },
      policy: { name: 'default', version: 1, digest: policyDigest(aPolicy()) },
      trust: { digest: request.trust.digest, epoch: 3 },
      evidence: [request.signatures[0]?.digest],
      checks: [
        { id: 'digest', outcome: 'pass', reason: 'ok' },
        { id: 'bundle', outcome: 'pass', reason: 'ok' },
        { id: 'manifest', outcome: 'pass', reason: 'ok' },
        { id: 'request', outcome: 'pass', reason: 'ok' },
        { id: 'signature', outcome: 'pass', reason: 'ok', evidence: request.signatures[0]?.digest },
        { id: 'policy', outcome: 'pass', reason: 'ok' },
      ],
      identities: [
        { kind: 'key', name: 'release', keyId: expect.any(String), scheme: 'ed25519', signature: request.signatures[0]?.digest },
      ],
      evaluatedAt: '2026-01-17T08:00:00.000Z',
    });
    expect(hash).toBe(verdictHash(verdict));
    expect(pack).toMatchObject({ packId: 'acme.hello', version: '1.0.0', type: 'task' });
    const stored = blobs.objects.get(pack?.config?.objectKey ?? '');
    expect(stored && JSON.parse(stored.toString())).toMatchObject({ kind: 'TaskPack', metadata: { packId: 'acme.hello' } });
    expect(stored && encodePackConfig(JSON.parse(stored.toString()))).toEqual(stored);
  });

  it('finds the same hash in another process at another time', async () => {
    const first = setUp();
    const second = setUp();
    const reply = await first.execute();
    expect((await first.execute()).verdictHash).toBe(reply.verdictHash);
    expect((await second.execute()).verdictHash).toBe(reply.verdictHash);
    const later = { ...first.request, evaluatedAt: '2026-01-18T08:00:00.000Z' };
    expect((await first.useCase.execute(later)).verdictHash).not.toBe(reply.verdictHash);
  });

  it('claims nothing that the request leaves open', async () => {
    expect((await setUp({ packId: null, version: null }).execute()).verdict.outcome).toBe('accepted');
  });

  it('reads a small bundle and its trust material from the store once', async () => {
    const { execute, blobs, request } = setUp();
    await execute();
    await execute();
    expect(blobs.reads.filter(key => key === request.bundle.objectKey)).toHaveLength(2);
    expect(blobs.reads.filter(key => key === request.trust.material?.objectKey)).toHaveLength(1);
  });

  describe('stops at the first check of the content that fails:', () => {
    const SKIPPED = ['signature skipped not-reached', 'policy skipped not-reached'];

    it('bytes that are not those of the digest', async () => {
      const { execute, blobs, request } = setUp();
      const other = Buffer.from(BUNDLE);
      other.writeUInt8(other.readUInt8(20) ^ 1, 20);
      blobs.objects.set(request.bundle.objectKey, other);
      const { verdict, faults, pack } = await execute();
      expect(told(verdict.checks)).toEqual([
        'digest fail ERR_PACK_DIGEST_MISMATCH',
        'bundle skipped not-reached',
        'manifest skipped not-reached',
        'request skipped not-reached',
        ...SKIPPED,
      ]);
      expect(verdict).toMatchObject({ outcome: 'rejected', policy: null, evidence: [], identities: [] });
      expect(faults.map(({ code }) => code)).toEqual(['ERR_PACK_DIGEST_MISMATCH']);
      expect(pack).toBeNull();
    });

    it.each([
      ['fewer bytes', BUNDLE.subarray(1)],
      ['more bytes', Buffer.concat([BUNDLE, BUNDLE])],
    ])('and gives no verdict when the store has %s than it was given', async (_, other) => {
      const { execute, blobs, request } = setUp();
      blobs.objects.set(request.bundle.objectKey, other);
      await expect(execute()).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
    });

    it('a bundle that is no archive', async () => {
      const { verdict, faults } = await setUp({ bundle: Buffer.from('no archive') }).execute();
      expect(told(verdict.checks)).toEqual([
        'digest pass ok',
        'bundle fail ERR_PACK_BUNDLE_INVALID',
        'manifest skipped not-reached',
        'request skipped not-reached',
        ...SKIPPED,
      ]);
      expect(faults).toHaveLength(1);
    });

    it('a manifest that breaks its schema', async () => {
      const bundle = aBundle(MANIFEST.replace('version: 1.0.0', 'version: one'));
      const { verdict, faults } = await setUp({ bundle }).execute();
      expect(told(verdict.checks)).toEqual([
        'digest pass ok',
        'bundle pass ok',
        'manifest fail ERR_PACK_MANIFEST_SCHEMA',
        'request skipped not-reached',
        ...SKIPPED,
      ]);
      expect(faults).toEqual([expect.objectContaining({ code: 'ERR_PACK_MANIFEST_SCHEMA', pointer: '/metadata/version' })]);
      expect(verdict.subject).toEqual({ bundle: sha256(bundle) });
    });

    it('a manifest that is not what the request says', async () => {
      const { execute, blobs } = setUp({ packId: 'acme.other', version: '2.0.0' });
      const before = blobs.objects.size;
      const { verdict, faults, pack } = await execute();
      expect(told(verdict.checks)).toEqual([
        'digest pass ok',
        'bundle pass ok',
        'manifest pass ok',
        'request fail ERR_PACK_MANIFEST_MISMATCH',
        ...SKIPPED,
      ]);
      expect(faults.map(({ pointer }) => pointer)).toEqual(['/metadata/packId', '/metadata/version']);
      expect(verdict.subject.config).toBeDefined();
      expect(pack?.config).toBeNull();
      expect(blobs.objects.size).toBe(before);
    });

    it('with a skipped check for each signature', async () => {
      const { verdict } = await setUp({ bundle: Buffer.from('none'), signatures: [Buffer.from('a'), Buffer.from('b')] }).execute();
      expect(verdict.checks.filter(({ id }) => id === 'signature')).toEqual(
        ['a', 'b'].map(text => ({ id: 'signature', outcome: 'skipped', reason: 'not-reached', evidence: sha256(text) })),
      );
    });
  });

  describe('signatures', () => {
    const tampered = release.bundle(BUNDLE, Buffer.alloc(64, 1));

    it('are all reported when none is valid, each with its own code', async () => {
      const { execute, timer } = setUp({ signatures: [tampered, stranger.bundle(BUNDLE), Buffer.from('{}')] });
      const { verdict, faults, pack } = await execute();
      expect(verdict.outcome).toBe('rejected');
      expect(told(verdict.checks).slice(4)).toEqual([
        'signature fail ERR_PACK_SIGNATURE_INVALID',
        'signature fail ERR_PACK_SIGNATURE_UNTRUSTED',
        'signature fail ERR_PACK_SIGNATURE_INVALID',
        'policy skipped not-reached',
      ]);
      expect(faults.map(({ code, field }) => `${field} ${code}`)).toEqual([
        'signatures[0] ERR_PACK_SIGNATURE_INVALID',
        'signatures[1] ERR_PACK_SIGNATURE_UNTRUSTED',
        'signatures[2] ERR_PACK_SIGNATURE_INVALID',
      ]);
      expect(timer.results).toEqual(['invalid', 'untrusted', 'invalid']);
      expect(pack?.config).toBeNull();
    });

    it('that fail take nothing from one that satisfies the policy', async () => {
      const { verdict, faults, pack } = await setUp({ signatures: [tampered, stranger.bundle(BUNDLE), release.bundle(BUNDLE)] }).execute();
      expect(verdict.outcome).toBe('accepted');
      expect(faults).toHaveLength(2);
      expect(pack).not.toBeNull();
    });

    it('by one signer count as one identity, and identities are sorted', async () => {
      const signatures = [stranger.bundle(BUNDLE), release.bundle(BUNDLE), Buffer.concat([release.bundle(BUNDLE), Buffer.from('\n')])];
      const { verdict } = await setUp({ signatures, trusted: [release, stranger] }).execute();
      expect(verdict.identities.map(({ name, signature }) => `${name} ${signature}`)).toEqual([
        `release ${sha256(signatures[1] ?? '')}`,
        `stranger ${sha256(signatures[0] ?? '')}`,
      ]);
    });

    it('by a trusted key that the policy does not name are refused', async () => {
      const { verdict, faults } = await setUp({ signatures: [stranger.bundle(BUNDLE)], trusted: [release, stranger] }).execute();
      expect(told(verdict.checks).slice(4)).toEqual(['signature pass ok', 'policy fail ERR_PACK_SIGNATURE_UNTRUSTED']);
      expect(faults).toEqual([{ code: 'ERR_PACK_SIGNATURE_UNTRUSTED', message: expect.stringContaining('release') }]);
    });

    it('are untrusted while the tenant trusts nothing', async () => {
      const { useCase, request } = setUp();
      const trust = { epoch: 0, digest: canonicalDigest({ keys: [] }), material: null };
      const { verdict } = await useCase.execute({ ...request, trust });
      expect(told(verdict.checks)).toContain('signature fail ERR_PACK_SIGNATURE_UNTRUSTED');
    });

    it('that are too large are refused unread', async () => {
      const { execute, request, blobs } = setUp({ signatures: [Buffer.alloc(300_000, ' ')] });
      expect(told((await execute()).verdict.checks)).toContain('signature fail ERR_PACK_SIGNATURE_INVALID');
      expect(blobs.reads).not.toContain(request.signatures[0]?.objectKey);
    });
  });

  describe('the policy', () => {
    it('is the one that binds the type and channel best', async () => {
      const policies = [aPolicy({ name: 'tasks', packType: 'task', rule: { keyRef: 'stranger' } }), aPolicy()];
      const { verdict } = await setUp({ policies }).execute();
      expect(verdict).toMatchObject({ outcome: 'rejected', policy: { name: 'tasks' } });
    });

    it('has to be there', async () => {
      for (const signatures of [[release.bundle(BUNDLE)], []]) {
        const { verdict, faults } = await setUp({ policies: [aPolicy({ packType: 'bundle' })], signatures }).execute();
        expect(verdict).toMatchObject({ outcome: 'rejected', policy: null });
        expect(told(verdict.checks).at(-1)).toBe('policy fail ERR_PACK_POLICY_MISSING');
        expect(faults.map(({ code }) => code)).toEqual(['ERR_PACK_POLICY_MISSING']);
      }
    });

    it('decides about bundles without a signature', async () => {
      const refused = await setUp({ signatures: [] }).execute();
      expect(told(refused.verdict.checks).slice(4)).toEqual(['signature fail ERR_PACK_SIGNATURE_MISSING', 'policy skipped not-reached']);
      const { verdict, pack } = await setUp({ signatures: [], policies: [aPolicy({ unsigned: 'allow' })] }).execute();
      expect(told(verdict.checks).slice(4)).toEqual(['signature skipped unsigned-allowed', 'policy pass unsigned-allowed']);
      expect(verdict.outcome).toBe('accepted');
      expect(pack).not.toBeNull();
    });

    it('that allows unsigned bundles allows no wrong signature', async () => {
      const setting = { signatures: [stranger.bundle(BUNDLE)], policies: [aPolicy({ unsigned: 'allow' })] };
      expect((await setUp(setting).execute()).verdict.outcome).toBe('rejected');
    });
  });

  describe('gives no verdict', () => {
    it('when the store cannot read', async () => {
      const { execute, request, blobs } = setUp();
      blobs.objects.delete(request.bundle.objectKey);
      await expect(execute()).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
    });

    it('when the trust material is not what the request names', async () => {
      const { useCase, request, blobs } = setUp();
      const trust = { ...request.trust, digest: sha256('other') };
      await expect(useCase.execute({ ...request, trust })).rejects.toMatchObject({ code: 'ERR_PACK_TRUST_INVALID' });
      const gone = { ...request.trust, material: null };
      await expect(useCase.execute({ ...request, trust: gone })).rejects.toMatchObject({ code: 'ERR_PACK_TRUST_INVALID' });
      blobs.objects.set(request.trust.material?.objectKey ?? '', Buffer.from('{"keys":[]}'));
      await expect(useCase.execute(request)).rejects.toMatchObject({ code: 'ERR_PACK_CORRUPT' });
    });

    it('after its deadline, neither before nor in the middle of reading', async () => {
      const { useCase, request, blobs } = setUp();
      await expect(useCase.execute(request, AbortSignal.abort())).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
      expect(blobs.reads).toEqual([]);
      const deadline = new AbortController();
      blobs.read = async function* () {
        yield BUNDLE.subarray(0, 10);
        deadline.abort();
        yield BUNDLE.subarray(10);
      };
      await expect(useCase.execute(request, deadline.signal)).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
    });
  });
});
