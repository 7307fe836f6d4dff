import { encodePackConfig, encodePackManifest, MEDIA_TYPES, sha256, type Check, type Digest, type Revocations } from '@packs/domain';
import { encodeTrustMaterial } from '@packs/sigstore';
import { aSigner } from '@packs/testing';
import { ReverifyVersion } from '../reverify-version/reverify-version';
import { VerifyBundle } from '../verify-bundle/verify-bundle';
import { aBundle, aPolicy, aVerifier } from './verifier.fixture';

const release = aSigner('release');
const BUNDLE = aBundle();
const REVOKED = 'ERR_PACK_DIGEST_REVOKED';

function setUp(revoked: Revocations, { unsigned = 'reject' as 'reject' | 'allow' | 'pending', signed = true } = {}) {
  const verifier = aVerifier();
  const material = verifier.blobs.put(encodeTrustMaterial({ keys: [release.key], revoked }));
  const request = {
    tenant: 'acme',
    channel: 'edge',
    bundle: verifier.blobs.put(BUNDLE),
    signatures: signed ? [verifier.signature(release.bundle(BUNDLE))] : [],
    policies: [aPolicy({ unsigned })],
    trust: { digest: material.digest, epoch: 3, material },
    evaluatedAt: '2026-02-01T00:00:00.000Z',
  };
  const publish = () => new VerifyBundle(verifier.blobs, verifier.signatures).execute({ ...request, packId: null, version: null });
  const read = () => new ReverifyVersion(verifier.blobs, verifier.signatures).execute({ ...request, packType: 'task' });
  return { publish, read };
}

const told = (checks: readonly Check[]) => checks.map(({ id, outcome, reason }) => `${id} ${outcome} ${reason}`);
const digests = (...revoked: readonly Digest[]): Revocations => ({ digests: revoked.map(digest => ({ digest, reason: 'malware' })) });

describe('a bundle that is revoked', () => {
  it.each([
    ['signed', { signed: true }],
    ['unsigned where that is allowed', { signed: false, unsigned: 'allow' as const }],
    ['unsigned where it may wait', { signed: false, unsigned: 'pending' as const }],
  ])('and %s is neither published nor read, and what signs it is not looked at', async (_, given) => {
    const { publish, read } = setUp(digests(sha256(BUNDLE)), given);
    for (const { verdict, faults } of [await publish(), await read()]) {
      expect([verdict.outcome, verdict.policy, verdict.evidence]).toEqual(['rejected', null, []]);
      expect(told(verdict.checks).slice(-3)).toEqual([
        `revocation fail ${REVOKED}`,
        'signature skipped not-reached',
        'policy skipped not-reached',
      ]);
      expect(faults).toEqual([{ code: REVOKED, message: `${sha256(BUNDLE)} was revoked: malware` }]);
    }
  });

  it('is known by the manifest that would be made of it as well', async () => {
    const { manifest } = await described();
    expect((await setUp(digests(manifest)).publish()).verdict.checks).toContainEqual(
      expect.objectContaining({ id: 'revocation', reason: REVOKED, evidence: manifest }),
    );
  });
});

it('a verdict where nothing of it is revoked is the one there always was', async () => {
  const { publish } = setUp({ ...digests(sha256('other')), keys: [{ keyId: sha256('other'), reason: 'lost' }] });
  const { verdict } = await publish();
  expect(verdict.outcome).toBe('accepted');
  expect(verdict.checks.map(({ id }) => id)).toEqual(['digest', 'bundle', 'manifest', 'request', 'signature', 'policy']);
});

it('a revoked key is told by its own code', async () => {
  const { keyId } = (await setUp({ digests: [] }).publish()).verdict.identities[0] ?? { keyId: sha256('none') };
  const { verdict, faults } = await setUp({ keys: [{ keyId, reason: 'lost' }] }).read();
  expect(told(verdict.checks)).toEqual(['digest pass ok', 'signature fail ERR_PACK_KEY_REVOKED', 'policy skipped not-reached']);
  expect(faults).toMatchObject([{ code: 'ERR_PACK_KEY_REVOKED', field: 'signatures[0]' }]);
});

/** What the publisher makes of the bundle. */
async function described(): Promise<{ manifest: Digest }> {
  const metadata = { packId: 'acme.hello', name: 'Hello', version: '1.0.0' };
  const pack = {
    apiVersion: 'stellaops.io/pack.v1' as const,
    kind: 'TaskPack' as const,
    metadata,
    spec: { steps: [{ id: 'greet', run: ['echo'] }] },
  };
  const config = encodePackConfig(pack);
  const { digest } = encodePackManifest(
    pack,
    { mediaType: MEDIA_TYPES.packConfig, digest: sha256(config), size: config.length },
    { mediaType: MEDIA_TYPES.packBundle, digest: sha256(BUNDLE), size: BUNDLE.length },
  );
  return { manifest: digest };
}
