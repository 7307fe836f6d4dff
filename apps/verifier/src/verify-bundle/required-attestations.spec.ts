import type { ReverifyVersionRequest, VerifyBundleRequest } from '@packs/contracts';
import { MEDIA_TYPES, sha256, type Check, type SigningPolicy } from '@packs/domain';
import { encodeTrustMaterial, refused, type VerificationAnswer, type VerificationTask } from '@packs/sigstore';
import { aSigner } from '@packs/testing';
import { AttestationEvaluator } from '../evaluation/attestation-evaluator';
import { anAttestation, anAttester, SLSA } from '../evaluation/attester.fixture';
import { CheckList } from '../evaluation/check-list';
import { SignatureVerifier } from '../evaluation/signature-verifier';
import { aBundle, aPolicy, aVerifier } from '../evaluation/verifier.fixture';
import { ReverifyVersion } from '../reverify-version/reverify-version';
import { VerifyBundle } from './verify-bundle';

const CYCLONE = 'https://cyclonedx.org/bom';
const BUNDLE = aBundle();
const DIGEST = sha256(BUNDLE);
const release = aSigner('release');
const builder = anAttester('builder');
const second = anAttester('second');
const REQUIRED: Partial<SigningPolicy> = { require: { attestations: [{ predicateType: SLSA, rule: { keyRef: 'builder' } }] } };

async function judge(documents: readonly Buffer[], policy: Partial<SigningPolicy> = REQUIRED, signed = true) {
  const verifier = aVerifier();
  const question = {
    tenant: 'acme',
    channel: 'edge',
    policies: [aPolicy(policy)],
    evaluatedAt: '2026-01-17T08:00:00.000Z',
    bundle: verifier.blobs.put(BUNDLE),
    signatures: signed ? [verifier.signature(release.bundle(BUNDLE))] : [],
    attestations: documents.map(document => ({ ...verifier.blobs.put(document), mediaType: MEDIA_TYPES.dsseEnvelope })),
    trust: verifier.trust([release.key, builder.key, second.key]),
  };
  const publish: VerifyBundleRequest = { ...question, packId: 'acme.hello', version: '1.0.0' };
  const again: ReverifyVersionRequest = { ...question, packType: 'task' };
  const { verdict, faults } = await new VerifyBundle(verifier.blobs, verifier.signatures, verifier.scans).execute(publish);
  const { verdict: later } = await new ReverifyVersion(verifier.blobs, verifier.signatures).execute(again);
  return { ...verdict, faults, later };
}

const told = (checks: readonly Check[]) =>
  checks.filter(({ id }) => id === 'attestation').map(({ outcome, reason }) => `${outcome} ${reason}`);

describe('attestations that a policy requires', () => {
  it('have to be there, about this bundle, by those who are to sign them', async () => {
    const document = anAttestation(DIGEST, [builder]);
    const { outcome, checks, attestations, later } = await judge([document]);
    expect(outcome).toBe('accepted');
    expect(checks.at(-1)).toEqual({ id: 'attestation', outcome: 'pass', reason: 'ok', evidence: sha256(document) });
    expect(attestations).toEqual([sha256(document)]);
    expect([later.outcome, later.attestations]).toEqual(['accepted', attestations]);
  });

  it.each<[string, readonly Buffer[], string]>([
    ['none', [], 'attestation-missing'],
    ['one of another type', [anAttestation(DIGEST, [builder], CYCLONE)], 'attestation-missing'],
    ['one about another bundle', [anAttestation(sha256('other'), [builder])], 'attestation-missing'],
    ['one by nobody who is trusted', [anAttestation(DIGEST, [anAttester('builder')])], 'attestation-missing'],
    ['one by somebody else', [anAttestation(DIGEST, [second])], 'attestation-signers'],
  ])('are wanting where there is %s', async (_, documents, reason) => {
    const { outcome, checks, faults, later } = await judge(documents);
    expect([outcome, later.outcome, told(checks)]).toEqual(['rejected', 'rejected', [`fail ${reason}`]]);
    expect(faults).toEqual([expect.objectContaining({ code: 'ERR_PACK_ATTESTATION_MISSING', reason })]);
  });

  it('are asked of the signers of the pack where the policy names no others', async () => {
    const rule = { anyOf: [{ keyRef: 'release' }, { keyRef: 'second' }] };
    const policy: Partial<SigningPolicy> = { rule, require: { attestations: [{ predicateType: SLSA }] } };
    expect((await judge([anAttestation(DIGEST, [second])], policy)).outcome).toBe('accepted');
    expect((await judge([anAttestation(DIGEST, [builder])], policy)).outcome).toBe('rejected');
  });

  it('do not add up: each document needs all its signers', async () => {
    const rule = { threshold: { count: 2, of: [{ keyRef: 'builder' }, { keyRef: 'second' }] } };
    const policy: Partial<SigningPolicy> = { require: { attestations: [{ predicateType: SLSA, rule }] } };
    expect((await judge([anAttestation(DIGEST, [builder]), anAttestation(DIGEST, [second])], policy)).outcome).toBe('rejected');
    expect((await judge([anAttestation(DIGEST, [builder, second])], policy)).outcome).toBe('accepted');
  });

  it('are required each by itself', async () => {
    const of = (predicateType: string) => ({ predicateType, rule: { keyRef: 'builder' } });
    const policy: Partial<SigningPolicy> = { require: { attestations: [of(SLSA), of(CYCLONE)] } };
    const { outcome, checks } = await judge([anAttestation(DIGEST, [builder], CYCLONE)], policy);
    expect([outcome, told(checks)]).toEqual(['rejected', ['fail attestation-missing', 'pass ok']]);
  });

  it('do not stand in for signatures, and are required of what nobody has to sign', async () => {
    const document = anAttestation(DIGEST, [builder]);
    expect((await judge([document], REQUIRED, false)).outcome).toBe('rejected');
    expect((await judge([document], { ...REQUIRED, unsigned: 'allow' }, false)).outcome).toBe('accepted');
    expect((await judge([], { ...REQUIRED, unsigned: 'allow' }, false)).outcome).toBe('rejected');
  });

  it.each(['before', 'after'])('are asked about again while one %s that would do was not looked at to its end', async place => {
    const broken = Buffer.from('broken off');
    const good = anAttestation(DIGEST, [builder]);
    const { blobs, trust, verifier } = aVerifier();
    class BreakingOff extends SignatureVerifier {
      async verify(task: VerificationTask, material: Uint8Array): Promise<VerificationAnswer> {
        if (broken.equals(task.content)) return refused('verification-timeout', 'scripted');
        return verifier.verify(task, material);
      }
    }
    const attestations = (place === 'before' ? [broken, good] : [good, broken]).map(document => ({
      ...blobs.put(document),
      mediaType: MEDIA_TYPES.dsseEnvelope,
    }));
    const keys = [builder.key];
    const asked = { subjects: [DIGEST], policy: aPolicy(REQUIRED), trust: trust(keys), evaluatedAt: '2026-01-17T08:00:00.000Z' };
    const evaluate = (by: SignatureVerifier) =>
      new AttestationEvaluator(blobs, by).evaluate({ ...asked, attestations }, encodeTrustMaterial({ keys }), new CheckList());
    await expect(evaluate(new BreakingOff())).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
    expect(await evaluate(verifier)).toBe(true);
  });

  it('are not looked at where the policy requires none', async () => {
    const verdict = await judge([anAttestation(DIGEST, [builder])], {});
    expect(verdict.outcome).toBe('accepted');
    expect(verdict).not.toHaveProperty('attestations');
    expect(told(verdict.checks)).toEqual([]);
  });
});
