import type { ReverifyVersionRequest } from '@packs/contracts';
import { verdictHash, type Check } from '@packs/domain';
import { aSigner } from '@packs/testing';
import { aBundle, aPolicy, aVerifier } from '../evaluation/verifier.fixture';
import { ReverifyVersion } from './reverify-version';

const release = aSigner('release');
const next = aSigner('release-next');
const BUNDLE = aBundle();

function setUp(trusted: readonly ReturnType<typeof aSigner>[], policies = [aPolicy()]) {
  const verifier = aVerifier();
  const request: ReverifyVersionRequest = {
    tenant: 'acme',
    channel: 'edge',
    packType: 'task',
    bundle: verifier.blobs.put(BUNDLE),
    signatures: [verifier.signature(release.bundle(BUNDLE)), verifier.signature(next.bundle(BUNDLE))],
    policies,
    trust: verifier.trust(
      trusted.map(({ key }) => key),
      4,
    ),
    evaluatedAt: '2026-02-01T00:00:00.000Z',
  };
  return { ...verifier, request, useCase: new ReverifyVersion(verifier.blobs, verifier.signatures) };
}

const told = (checks: readonly Check[]) => checks.map(({ id, outcome, reason }) => `${id} ${outcome} ${reason}`);

describe('ReverifyVersion', () => {
  it('accepts what its policy still accepts', async () => {
    const { useCase, request } = setUp([release, next]);
    const reply = await useCase.execute(request);
    expect(told(reply.verdict.checks)).toEqual(['digest pass ok', 'signature pass ok', 'signature pass ok', 'policy pass ok']);
    expect(reply).toMatchObject({
      verdict: { outcome: 'accepted', trust: { epoch: 4 } },
      faults: [],
      verdictHash: verdictHash(reply.verdict),
    });
  });

  it('accepts on one key after the other has gone, when the policy lets either do', async () => {
    const { useCase, request } = setUp([next], [aPolicy({ rule: { anyOf: [{ keyRef: 'release' }, { keyRef: 'release-next' }] } })]);
    expect((await useCase.execute(request)).verdict).toMatchObject({ outcome: 'accepted', identities: [{ name: 'release-next' }] });
  });

  it('rejects once the key is no longer trusted', async () => {
    const { useCase, request } = setUp([]);
    const { verdict, faults } = await useCase.execute(request);
    expect(verdict.outcome).toBe('rejected');
    expect(faults.map(({ code }) => code)).toEqual(['ERR_PACK_SIGNATURE_UNTRUSTED', 'ERR_PACK_SIGNATURE_UNTRUSTED']);
  });

  it('rejects once the key of that name is another', async () => {
    const { useCase, request } = setUp([aSigner('release')]);
    expect((await useCase.execute(request)).verdict.outcome).toBe('rejected');
  });

  it('rejects stored bytes that have changed', async () => {
    const { useCase, request, blobs } = setUp([release]);
    const changed = Buffer.from(BUNDLE);
    changed[20] = (changed[20] ?? 0) ^ 1;
    blobs.objects.set(request.bundle.objectKey, changed);
    expect(told((await useCase.execute(request)).verdict.checks)).toEqual([
      'digest fail ERR_PACK_DIGEST_MISMATCH',
      'signature skipped not-reached',
      'signature skipped not-reached',
      'policy skipped not-reached',
    ]);
  });

  it('gives no verdict after its deadline', async () => {
    const { useCase, request } = setUp([release]);
    await expect(useCase.execute(request, AbortSignal.abort())).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
  });
});
