import type { VerifyAttestationRequest } from '@packs/contracts';
import { MEDIA_TYPES, sha256, verdictHash, type Check } from '@packs/domain';
import { anAttestation as attestationOf, anAttester, SLSA, type Attester } from '../evaluation/attester.fixture';
import { aPolicy, aVerifier } from '../evaluation/verifier.fixture';
import { TrustMaterials } from '../evaluation/trust-materials';
import { VerifyAttestation } from './verify-attestation';

const BUNDLE = sha256('bundle');
const MANIFEST = sha256('manifest');

const release = anAttester('release');
const other = anAttester('other');

const anAttestation = (subject = BUNDLE, signers: readonly Attester[] = [release]): Buffer => attestationOf(subject, signers);

function setUp(document = anAttestation(), changes: Partial<VerifyAttestationRequest> = {}) {
  const verifier = aVerifier();
  const request: VerifyAttestationRequest = {
    tenant: 'acme',
    channel: 'edge',
    packType: 'task',
    attestation: { ...verifier.blobs.put(document), mediaType: MEDIA_TYPES.dsseEnvelope },
    subject: { bundle: BUNDLE, manifest: MANIFEST },
    policies: [aPolicy()],
    trust: verifier.trust([release.key, other.key]),
    evaluatedAt: '2026-02-01T00:00:00.000Z',
    ...changes,
  };
  const useCase = new VerifyAttestation(verifier.blobs, new TrustMaterials(verifier.blobs), verifier.verifier, verifier.timer);
  return { ...verifier, request, useCase };
}

const told = (checks: readonly Check[]) => checks.map(({ id, outcome, reason }) => `${id} ${outcome} ${reason}`);

describe('VerifyAttestation', () => {
  it.each([
    ['the bundle', BUNDLE],
    ['the manifest', MANIFEST],
  ])('accepts a statement about %s by a signer its policy asks for', async (_, subject) => {
    const { useCase, request, timer } = setUp(anAttestation(subject));
    const reply = await useCase.execute(request);
    expect(told(reply.verdict.checks)).toEqual(['digest pass ok', 'signature pass ok', 'statement pass ok', 'policy pass ok']);
    expect(reply).toMatchObject({
      predicateType: SLSA,
      faults: [],
      verdictHash: verdictHash(reply.verdict),
      verdict: {
        outcome: 'accepted',
        subject: { bundle: BUNDLE, attestation: request.attestation.digest },
        policy: { name: 'default', version: 1 },
        trust: { epoch: 3 },
        evidence: [request.attestation.digest],
        identities: [{ name: 'release', signature: request.attestation.digest }],
      },
    });
    expect(timer.results).toEqual(['valid']);
  });

  it('gives the same verdict for the same question', async () => {
    const { useCase, request } = setUp();
    expect((await useCase.execute(request)).verdictHash).toBe((await useCase.execute(request)).verdictHash);
  });

  it('accepts on one signature that suffices, whoever else signed', async () => {
    const { useCase, request } = setUp(anAttestation(BUNDLE, [other, anAttester('unknown'), release]));
    expect((await useCase.execute(request)).verdict).toMatchObject({
      outcome: 'accepted',
      identities: [{ name: 'other' }, { name: 'release' }],
    });
  });

  it('rejects a statement about something else, and says nothing of what it claims', async () => {
    const { useCase, request } = setUp(anAttestation(sha256('another bundle')));
    const { verdict, faults, predicateType } = await useCase.execute(request);
    expect(verdict.outcome).toBe('rejected');
    expect(told(verdict.checks)).toEqual([
      'digest pass ok',
      'signature pass ok',
      'statement fail ERR_PACK_ATTESTATION_INVALID',
      'policy pass ok',
    ]);
    expect(faults).toEqual([{ code: 'ERR_PACK_ATTESTATION_INVALID', message: 'no subject of the statement is this artifact' }]);
    expect(predicateType).toBeNull();
  });

  it('rejects a statement that nobody trusted signed, without reading it', async () => {
    const { useCase, request, timer } = setUp(anAttestation(BUNDLE, [anAttester('release')]));
    const { verdict, predicateType } = await useCase.execute(request);
    expect(told(verdict.checks)).toEqual([
      'digest pass ok',
      'signature fail ERR_PACK_SIGNATURE_INVALID',
      'statement skipped not-reached',
      'policy skipped not-reached',
    ]);
    expect(predicateType).toBeNull();
    expect(timer.results).toEqual(['invalid']);
  });

  it('rejects a signer the policy does not ask for', async () => {
    const { useCase, request } = setUp(anAttestation(BUNDLE, [other]));
    const { verdict, faults } = await useCase.execute(request);
    expect(verdict.outcome).toBe('rejected');
    expect(told(verdict.checks).at(-1)).toBe('policy fail ERR_PACK_SIGNATURE_UNTRUSTED');
    expect(faults[0]?.message).toContain('release');
  });

  it('asks the policy of the type and the channel', async () => {
    const policies = [aPolicy(), aPolicy({ name: 'stable', channel: 'stable', rule: { keyRef: 'other' } })];
    const { useCase, request } = setUp(anAttestation(), { policies });
    expect((await useCase.execute({ ...request, channel: 'stable' })).verdict).toMatchObject({
      outcome: 'rejected',
      policy: { name: 'stable' },
    });
    expect((await useCase.execute(request)).verdict).toMatchObject({ outcome: 'accepted', policy: { name: 'default' } });
  });

  it('asks for the signers of the rule that the policy has for statements of this type', async () => {
    const require = { attestations: [{ predicateType: SLSA, rule: { keyRef: 'other' } }] };
    const ask = async (signer: Attester, of = SLSA) => {
      const { useCase, request } = setUp(attestationOf(BUNDLE, [signer], of), { policies: [aPolicy({ require })] });
      return (await useCase.execute(request)).verdict.outcome;
    };
    expect([await ask(other), await ask(release)]).toEqual(['accepted', 'rejected']);
    expect([await ask(other, 'https://x.test/y'), await ask(release, 'https://x.test/y')]).toEqual(['rejected', 'accepted']);
  });

  it('takes a statement that a policy of a later channel asks for, by the signers of that policy', async () => {
    const require = { attestations: [{ predicateType: SLSA, rule: { keyRef: 'other' } }] };
    const stable = aPolicy({ name: 'stable', channel: 'stable', require });
    const ask = async (changes: Partial<VerifyAttestationRequest>, signer = other) => {
      const { useCase, request } = setUp(attestationOf(BUNDLE, [signer]), { policies: [aPolicy(), stable], ...changes });
      const { outcome, policy } = (await useCase.execute(request)).verdict;
      return [outcome, policy?.name];
    };
    expect(await ask({})).toEqual(['accepted', 'stable']);
    expect(await ask({ policies: [stable] })).toEqual(['accepted', 'stable']);
    expect(await ask({}, release)).toEqual(['accepted', 'default']);
    expect(await ask({}, anAttester('unknown'))).toEqual(['rejected', 'default']);
    expect(await ask({ policies: [aPolicy(), { ...stable, packType: 'policy' }] })).toEqual(['rejected', 'default']);
  });

  it('counts no signer by an algorithm that is not allowed', async () => {
    const { useCase, request } = setUp(anAttestation(), { policies: [aPolicy({ require: { algorithms: ['ecdsa-p256-sha256'] } })] });
    const { verdict } = await useCase.execute(request);
    expect(verdict).toMatchObject({ outcome: 'rejected', identities: [] });
    expect(told(verdict.checks)).toContain('algorithm fail algorithm-not-allowed');
  });

  it('rejects without a policy, however well it is signed', async () => {
    const { useCase, request } = setUp(anAttestation(), { policies: [] });
    const { verdict } = await useCase.execute(request);
    expect(verdict).toMatchObject({ outcome: 'rejected', policy: null });
    expect(told(verdict.checks).at(-1)).toBe('policy fail ERR_PACK_POLICY_MISSING');
  });

  it('wants a trusted signer where a publish would need none', async () => {
    const { useCase, request } = setUp(anAttestation(BUNDLE, [anAttester('unknown')]), { policies: [aPolicy({ unsigned: 'allow' })] });
    expect((await useCase.execute(request)).verdict.outcome).toBe('rejected');
  });

  it('rejects once the key is no longer trusted', async () => {
    const { useCase, request, trust } = setUp();
    const { verdict } = await useCase.execute({ ...request, trust: trust([other.key], 4) });
    expect(verdict).toMatchObject({ outcome: 'rejected', trust: { epoch: 4 }, identities: [] });
  });

  it('rejects stored bytes that have changed', async () => {
    const { useCase, request, blobs } = setUp();
    const changed = anAttestation();
    changed[20] = (changed[20] ?? 0) ^ 1;
    blobs.objects.set(request.attestation.objectKey, changed);
    expect(told((await useCase.execute(request)).verdict.checks)).toEqual([
      'digest fail ERR_PACK_DIGEST_MISMATCH',
      'signature skipped not-reached',
      'statement skipped not-reached',
      'policy skipped not-reached',
    ]);
  });

  it('gives no verdict after its deadline', async () => {
    const { useCase, request } = setUp();
    await expect(useCase.execute(request, AbortSignal.abort())).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
  });
});
