import { VerifyAttestation, type AttestationStateView, type AttestationView, type VerifyAttestationRequest } from '@packs/contracts';
import { MEDIA_TYPES, sha256, type AttestationState, type Digest, type SigningPolicy } from '@packs/domain';
import { AttestationReadModel, type ServableAttestation, type ServableVersion } from '@packs/ports';
import { FixedClock, ScriptedCommandBus } from '@packs/testing';
import { ServableAttestations } from './servable-attestations';
import type { ServableVersions } from './servable-versions';

const AT = { tenant: 'globex', namespace: 'acme' };
const POLICY: SigningPolicy = { name: 'default', version: 2, rule: { keyRef: 'builder' }, unsigned: 'reject' };

function anAttestation(text: string, verifiedEpoch: number, state: AttestationState = 'verified'): ServableAttestation {
  const digest = sha256(text);
  return {
    view: { digest, mediaType: MEDIA_TYPES.dsseEnvelope, state, stateReason: null } as unknown as AttestationView,
    document: { digest, size: 4, objectKey: text, blockChecksums: '' },
    verifiedEpoch,
    verdictPolicy: POLICY,
  };
}

class ListedAttestations extends AttestationReadModel {
  constructor(private readonly all: ServableAttestation[]) {
    super();
  }

  async list(): Promise<ServableAttestation[]> {
    return this.all;
  }

  async provisional(): Promise<AttestationView[]> {
    return [{ ...anAttestation('waiting', 0, 'provisional').view, stateReason: 'ERR_PACK_SIGNATURE_UNTRUSTED' }];
  }

  async history(): Promise<AttestationStateView[]> {
    return [];
  }
}

/** A tenant at trust epoch 5 whose verifier refuses the documents named. */
function setUp(attestations: ServableAttestation[], refused: readonly Digest[] = []) {
  const version = {
    view: { tenant: 'acme', packId: 'acme.hello', digest: sha256('bundle'), manifestDigest: sha256('manifest') },
    type: 'task',
    channel: 'edge',
    trust: { epoch: 5, digest: sha256('trust'), material: null },
  } as ServableVersion;
  const commands = new ScriptedCommandBus().answer(VerifyAttestation, ({ attestation: { digest } }) => {
    const bad = refused.includes(digest);
    const checks = [{ id: 'signature', outcome: bad ? 'fail' : 'pass', reason: bad ? 'ERR_PACK_SIGNATURE_UNTRUSTED' : 'ok' }];
    const verdict = { outcome: bad ? 'rejected' : 'accepted', checks } as never;
    return { verdict, verdictHash: sha256('v'), faults: [], predicateType: null };
  });
  const versions = { find: async () => version } as unknown as ServableVersions;
  const servable = new ServableAttestations(versions, new ListedAttestations(attestations), commands, new FixedClock());
  return { servable, asked: commands.sent as readonly { request: VerifyAttestationRequest }[] };
}

describe('ServableAttestations', () => {
  it('serves what was verified under the current trust without asking anybody', async () => {
    const { servable, asked } = setUp([anAttestation('one', 5)]);
    expect(await servable.list(AT, 'acme.hello', '1.0.0')).toHaveLength(1);
    expect(asked).toEqual([]);
  });

  it('has what was verified under another trust verified again, once, by the policy that accepted it', async () => {
    const { servable, asked } = setUp([anAttestation('one', 4)]);
    for (let n = 0; n < 3; n++) await servable.find(AT, 'acme.hello', '1.0.0', sha256('one'));
    expect(await servable.list(AT, 'acme.hello', '1.0.0')).toHaveLength(1);
    expect(asked.map(({ request }) => request)).toMatchObject([
      {
        tenant: 'acme',
        attestation: { digest: sha256('one'), mediaType: MEDIA_TYPES.dsseEnvelope },
        subject: { bundle: sha256('bundle'), manifest: sha256('manifest') },
        policies: [POLICY],
        trust: { epoch: 5 },
      },
    ]);
  });

  it('leaves what is no longer trusted out of the list, and says why when it is asked for', async () => {
    const { servable } = setUp([anAttestation('one', 4), anAttestation('two', 4)], [sha256('one')]);
    expect((await servable.list(AT, 'acme.hello', '1.0.0')).map(({ digest }) => digest)).toEqual([sha256('two')]);
    await expect(servable.find(AT, 'acme.hello', '1.0.0', sha256('one'))).rejects.toMatchObject({
      code: 'ERR_PACK_WITHDRAWN',
      details: { reasons: ['ERR_PACK_SIGNATURE_UNTRUSTED'], trustEpoch: 5 },
    });
  });

  it('shows each in the state it has under the trust of now, whatever was recorded last', async () => {
    const all = [anAttestation('lost', 4), anAttestation('back', -1, 'provisional'), anAttestation('disputed', 5, 'contested')];
    const { servable } = setUp(all, [sha256('lost')]);
    const stateOf = async (state?: AttestationState | 'all') =>
      (await servable.list(AT, 'acme.hello', '1.0.0', state)).map(view => [view.digest, view.state, view.stateReason]);
    expect(await stateOf()).toEqual([[sha256('back'), 'verified', null]]);
    expect(await stateOf('contested')).toEqual([[sha256('disputed'), 'contested', null]]);
    expect(await stateOf('provisional')).toEqual([
      [sha256('lost'), 'provisional', 'ERR_PACK_SIGNATURE_UNTRUSTED'],
      [sha256('waiting'), 'provisional', 'ERR_PACK_SIGNATURE_UNTRUSTED'],
    ]);
    expect(await stateOf('all')).toHaveLength(4);
    expect((await servable.verified(AT, 'acme.hello', '1.0.0')).verified.map(({ view }) => view.digest)).toEqual([sha256('back')]);
  });

  it('gives nobody a document that nobody trusted has signed', async () => {
    const { servable } = setUp([]);
    await expect(servable.find(AT, 'acme.hello', '1.0.0', sha256('waiting'))).rejects.toMatchObject({
      code: 'ERR_PACK_WITHDRAWN',
      details: { reasons: ['ERR_PACK_SIGNATURE_UNTRUSTED'], trustEpoch: 5 },
    });
  });

  it('does not find what the version does not have', async () => {
    const { servable } = setUp([anAttestation('one', 5)]);
    await expect(servable.find(AT, 'acme.hello', '1.0.0', sha256('two'))).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
  });
});
