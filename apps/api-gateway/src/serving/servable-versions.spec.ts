import { ReverifyVersion, type ReverifyVersionRequest, type VersionView } from '@packs/contracts';
import { MEDIA_TYPES, sha256, type SigningPolicy, type Verdict } from '@packs/domain';
import { PackReadModel, type JudgeableAttestation, type ServableVersion } from '@packs/ports';
import { FixedClock, ScriptedCommandBus } from '@packs/testing';
import { GetVerdictController } from '../rest/get-verdict/get-verdict.controller';
import { ServableVersions } from './servable-versions';

const AT = { tenant: 'globex', namespace: 'acme' };
const SLSA = 'https://slsa.dev/provenance/v1';
const POLICY: SigningPolicy = { name: 'default', version: 2, rule: { keyRef: 'release' }, unsigned: 'reject' };
const ASKING: SigningPolicy = { ...POLICY, require: { attestations: [{ predicateType: SLSA }] } };
const STORED = { outcome: 'accepted', hash: sha256('stored') };
const PRINCIPAL = { tenant: 'globex' } as never;

function anAttestation(name: string, predicateType = SLSA): JudgeableAttestation {
  return { digest: sha256(name), size: 4, objectKey: name, mediaType: MEDIA_TYPES.dsseEnvelope, predicateType, contested: false };
}

/** A version of a tenant at trust epoch 5, which the verifier accepts or not. */
function setUp(changes: Partial<ServableVersion> = {}, outcome: Verdict['outcome'] = 'accepted') {
  const version = {
    view: { tenant: 'acme', packId: 'hello', version: '1.0.0', manifestDigest: sha256('manifest'), verdict: STORED } as VersionView,
    bundle: { digest: sha256('bundle'), size: 3, objectKey: 'b', blockChecksums: '' },
    manifest: { digest: sha256('manifest'), size: 4, objectKey: 'm' },
    type: 'task',
    channel: 'edge',
    signatures: [],
    attestations: [],
    verifiedEpoch: 4,
    verdictPolicy: POLICY,
    trust: { epoch: 5, digest: sha256('trust'), material: null },
    ...changes,
  } as ServableVersion;
  const shelf = { version };
  class OneVersion extends PackReadModel {
    listPacks = () => Promise.reject(new Error('not asked for'));
    findPack = () => Promise.resolve(undefined);
    listVersions = () => Promise.resolve(undefined);
    findVersion = (_: unknown, packId: string) => Promise.resolve(packId === 'hello' ? shelf.version : undefined);
  }
  const checks = [{ id: 'attestation', outcome: outcome === 'accepted' ? 'pass' : 'fail', reason: 'attestation-missing' }];
  const faults = outcome === 'accepted' ? [] : [{ code: 'ERR_PACK_ATTESTATION_MISSING' as const, message: 'wanting' }];
  const commands = new ScriptedCommandBus().answer(ReverifyVersion, () => ({
    verdict: { outcome, checks } as unknown as Verdict,
    verdictHash: sha256('current'),
    faults,
  }));
  const versions = new ServableVersions(new OneVersion(), commands, new FixedClock());
  const explain = () => new GetVerdictController(versions).get('hello', '1.0.0', { namespace: 'acme' }, PRINCIPAL);
  const asked = () => commands.sent.map(({ request }) => request as ReverifyVersionRequest);
  return { versions, shelf, asked, explain };
}

describe('ServableVersions', () => {
  it('brings the attestations that the policy asks for, and none where it asks for none', async () => {
    const attestations = [anAttestation('provenance'), anAttestation('sbom', 'https://cyclonedx.org/bom')];
    const asking = setUp({ verdictPolicy: ASKING, attestations });
    await asking.versions.find(AT, 'hello', '1.0.0');
    const { predicateType: _, contested: __, ...provenance } = anAttestation('provenance');
    expect(asking.asked()).toMatchObject([{ policies: [ASKING], attestations: [provenance] }]);
    const other = setUp({ attestations });
    await other.versions.find(AT, 'hello', '1.0.0');
    expect(other.asked()).toHaveLength(1);
    expect(other.asked()[0]).not.toHaveProperty('attestations');
  });

  it('asks once, and again when something more is attested', async () => {
    const { versions, shelf, asked } = setUp({ verdictPolicy: ASKING }, 'rejected');
    for (let n = 0; n < 2; n++) {
      await expect(versions.find(AT, 'hello', '1.0.0')).rejects.toMatchObject({
        code: 'ERR_PACK_WITHDRAWN',
        details: { reasons: ['attestation-missing'] },
      });
    }
    expect(asked()).toHaveLength(1);
    shelf.version = { ...shelf.version, attestations: [anAttestation('provenance')] };
    await expect(versions.find(AT, 'hello', '1.0.0')).rejects.toMatchObject({ code: 'ERR_PACK_WITHDRAWN' });
    expect(asked()).toHaveLength(2);
  });
});

describe('the verdict of a version', () => {
  it('is the stored one as long as it was made under the keys of now', async () => {
    const { explain, asked } = setUp({ verifiedEpoch: 5 });
    expect(await explain()).toEqual({
      ...{ packId: 'hello', tenant: 'acme', version: '1.0.0', state: 'served' },
      ...{ stored: STORED, current: null, faults: [] },
    });
    expect(asked()).toEqual([]);
  });

  it.each([
    ['accepted', 'served'],
    ['rejected', 'withdrawn'],
  ] as const)('is one of now as well after a change of keys: %s, so %s', async (outcome, state) => {
    const answer = await setUp({}, outcome).explain();
    expect(answer).toMatchObject({ state, stored: STORED, current: { outcome, hash: sha256('current') } });
    expect(answer.faults).toHaveLength(outcome === 'accepted' ? 0 : 1);
  });

  it('is that of a version that the caller sees', async () => {
    const { versions } = setUp();
    await expect(versions.judged(AT, 'absent', '1.0.0')).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
  });
});
