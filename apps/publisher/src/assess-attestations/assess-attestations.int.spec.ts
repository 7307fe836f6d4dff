import type { ContestAttestationRequest } from '@packs/contracts';
import { AttestingPublisher } from '../attesting-publisher.fixture';
import { ContestAttestation } from '../contest-attestation/contest-attestation';
import { JudgingPublisher } from '../judging-publisher.fixture';
import { AssessAttestations } from './assess-attestations';

describe('the state of an attestation', () => {
  let publisher: JudgingPublisher;
  let attesting: AttestingPublisher;
  let epoch = 100;
  beforeAll(async () => {
    publisher = await JudgingPublisher.open();
    attesting = new AttestingPublisher(publisher);
  });
  afterAll(() => publisher.close());
  beforeEach(async () => {
    publisher.trusted.clear();
    publisher.anew();
    attesting.meanwhile = () => Promise.resolve();
    await publisher.policy({ rule: { anyOf: [{ keyRef: 'release' }, { keyRef: 'builder' }] } });
    await publisher.publish({ version: '1.0.0' });
    await assess();
  });

  const assess = () =>
    new AssessAttestations(publisher.unitOfWork, publisher.commands, attesting.addAttestation, publisher.clock).execute();
  const decide = (digest: string, decision: 'contest' | 'uphold', reason = 'the build machine was not ours', actor = 'user:carol') =>
    new ContestAttestation(publisher.unitOfWork, publisher.commands, publisher.clock).execute({
      ...publisher.origin,
      ...{ packId: 'acme.hello', version: '1.0.0', decision, reason, actor },
      digest: digest as ContestAttestationRequest['digest'],
    });
  const trust = async (...names: string[]): Promise<void> => {
    publisher.trusted.clear();
    for (const name of names) publisher.trusted.add(name);
    await publisher.raiseEpoch(++epoch);
  };
  const history = async (): Promise<string[]> =>
    (
      await publisher.rows<{ seq: number; state: string; reason: string | null; changed_by: string }>(
        `select seq, state, reason, changed_by from registry.attestation_states order by digest, seq`,
      )
    ).map(({ seq, state, reason, changed_by }) => [seq, state, reason ?? '-', changed_by].join(' '));
  const states = async (): Promise<string[]> =>
    (await publisher.rows<{ state: string }>(`select state from registry.pack_provenance order by digest`)).map(({ state }) => state);
  const provisional = async (): Promise<number> => (await publisher.rows(`select 1 from registry.provisional_attestations`)).length;
  const UNTRUSTED = 'ERR_PACK_SIGNATURE_UNTRUSTED';

  it('is provisional until somebody trusts the signer, and verified from then on', async () => {
    const taken = await attesting.taken('builder');
    expect(taken).toMatchObject({
      outcome: 'provisional',
      state: 'provisional',
      stateReason: UNTRUSTED,
      manifestDigest: null,
      signers: [],
    });
    expect(await publisher.events('pack.attestation.added')).toEqual([]);
    expect(await publisher.events('pack.attestation.received')).toMatchObject([
      { data: { attestation: taken.digest, reason: UNTRUSTED, actor: 'user:alice', verdictHash: taken.verdictHash } },
    ]);
    await trust('release', 'builder');
    expect(await assess()).toBe(1);
    expect([await states(), await provisional()]).toEqual([['verified'], 0]);
    expect(await publisher.events('pack.attestation.added')).toMatchObject([{ data: { attestation: taken.digest, actor: 'user:alice' } }]);
    expect(await history()).toEqual([`1 provisional ${UNTRUSTED} user:alice`, '2 verified - user:alice']);
  });

  it('is judged again when a policy changes', async () => {
    publisher.trusted.add('auditor');
    await attesting.taken('auditor');
    await publisher.policy({ version: 2, rule: { anyOf: [{ keyRef: 'release' }, { keyRef: 'auditor' }] } });
    await assess();
    expect([await states(), await provisional()]).toEqual([['verified'], 0]);
  });

  it('is verified at once when the document is sent again under the new trust', async () => {
    await attesting.taken('builder');
    await trust('release', 'builder');
    expect(await attesting.taken('builder', { provisional: false })).toMatchObject({ outcome: 'added', state: 'verified' });
    expect([await states(), await provisional()]).toEqual([['verified'], 0]);
    expect(await history()).toHaveLength(2);
  });

  it.each<[string, Parameters<AttestingPublisher['send']>]>([
    ['nobody asked to keep it', ['builder', { provisional: false }]],
    ['it lacks more than trust', ['liar']],
  ])('does not come to be when %s', async (_, parts) => {
    expect(await attesting.send(...parts)).toMatchObject({ outcome: 'rejected' });
    expect([await states(), await provisional(), await history()]).toEqual([[], 0, []]);
  });

  it('does not come to be for a document about something else', async () => {
    await expect(attesting.send('builder', { about: 'a'.repeat(64) })).rejects.toMatchObject({ code: 'ERR_PACK_ATTESTATION_INVALID' });
    expect([await provisional(), await history()]).toEqual([0, []]);
  });

  it('falls back to provisional when the signer loses the trust, and rises again with it', async () => {
    await trust('release', 'builder');
    await attesting.taken('builder');
    await trust('release');
    await assess();
    expect(await states()).toEqual(['provisional']);
    await trust('release', 'builder');
    await assess();
    expect(await states()).toEqual(['verified']);
    const events = await publisher.events('pack.attestation.reassessed');
    expect(
      events.map(({ data }) => [data['previousState'], data['state'], data['reason'], data['seq'], data['trustEpoch'], data.actor]),
    ).toEqual([
      ['verified', 'provisional', UNTRUSTED, 2, epoch - 1, 'system:assessment'],
      ['provisional', 'verified', null, 3, epoch, 'system:assessment'],
    ]);
    expect(await history()).toHaveLength(3);
  });

  it('changes nothing, and tells nobody, where trust changes and the signers stay', async () => {
    await attesting.taken('release');
    await trust('release', 'builder');
    expect(await assess()).toBe(1);
    expect(await publisher.events('pack.attestation.reassessed')).toEqual([]);
    expect(await assess()).toBe(0);
  });

  it('is contested by an approver with a reason, whatever trust does, until it is upheld', async () => {
    const { digest } = await attesting.taken('release');
    expect(await decide(digest, 'contest')).toEqual({
      digest,
      state: 'contested',
      stateReason: 'the build machine was not ours',
      changed: true,
    });
    expect(await decide(digest, 'contest', 'again')).toMatchObject({ changed: false, stateReason: 'the build machine was not ours' });
    await trust('release', 'builder');
    await assess();
    expect(await states()).toEqual(['contested']);
    expect(await attesting.taken('release')).toMatchObject({ outcome: 'already-added', state: 'contested' });
    expect(await decide(digest, 'uphold', 'it was')).toMatchObject({ state: 'verified', stateReason: null, changed: true });
    expect(await decide(digest, 'uphold', 'it was')).toMatchObject({ changed: false });
    expect(await history()).toEqual([
      '1 verified - user:alice',
      '2 contested the build machine was not ours user:carol',
      '3 verified it was user:carol',
    ]);
    const [contested, upheld] = await publisher.events('pack.attestation.reassessed');
    expect(contested?.data).toMatchObject({ state: 'contested', verdictHash: null, trustEpoch: null, actor: 'user:carol' });
    expect(upheld?.data).toMatchObject({ state: 'verified', trustEpoch: epoch, verdictHash: expect.stringMatching(/^sha256:/) as string });
  });

  it('is no more than provisional after it is upheld while nobody trusts its signer', async () => {
    await trust('release', 'builder');
    const { digest } = await attesting.taken('builder');
    await decide(digest, 'contest');
    await trust('release');
    expect(await decide(digest, 'uphold')).toMatchObject({ state: 'provisional', stateReason: UNTRUSTED });
  });

  it('is nobody’s to contest that is not there', async () => {
    await expect(decide(`sha256:${'0'.repeat(64)}`, 'contest')).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
  });

  it('changes once, however many decide and assess at the same time', async () => {
    const { digest } = await attesting.taken('release');
    await trust('builder');
    const decided = await Promise.all([...Array.from({ length: 6 }, () => decide(digest, 'contest')), assess(), assess(), assess()]);
    expect(decided.filter(one => typeof one === 'object' && one.changed)).toHaveLength(1);
    expect(await states()).toEqual(['contested']);
    const seqs = await publisher.rows<{ seq: number }>(`select seq from registry.attestation_states order by seq`);
    expect(seqs.map(({ seq }) => seq)).toEqual(seqs.map((_, at) => at + 1));
    expect((await publisher.events('pack.attestation.reassessed')).map(({ data }) => data['seq'])).toEqual(
      seqs.slice(1).map(({ seq }) => seq),
    );
    expect(await assess()).toBe(0);
  });

  it('is judged under the trust that holds at its commit', async () => {
    await attesting.taken('release');
    await trust('builder');
    attesting.meanwhile = async () => {
      attesting.meanwhile = () => Promise.resolve();
      await trust('release');
    };
    await assess();
    expect(await states()).toEqual(['verified']);
    expect(await publisher.events('pack.attestation.reassessed')).toEqual([]);
  });

  it('is judged once in a run and is due still, where it stays what it was', async () => {
    await attesting.taken('release');
    await publisher.rows(
      `insert into registry.provisional_attestations (tenant, pack_id, version, digest, media_type, predicate_type, verdict_hash, basis, added_at, added_by)
       select tenant, pack_id, version, digest, media_type, predicate_type, verdict_hash, digest, added_at, added_by from registry.pack_provenance`,
    );
    await trust('release', 'builder');
    expect([await assess(), await assess()]).toEqual([2, 1]);
    await publisher.rows(`delete from registry.provisional_attestations`);
    expect(await assess()).toBe(0);
  });

  it('of others is judged although one cannot be', async () => {
    await attesting.taken('release');
    await trust('builder');
    const first = publisher.tenant;
    publisher.anew();
    await publisher.policy();
    await publisher.publish({ version: '1.0.0' });
    await attesting.taken('release');
    await trust('builder');
    attesting.meanwhile = async () => {
      attesting.meanwhile = () => Promise.resolve();
      throw new Error('no verifier');
    };
    expect(first < publisher.tenant).toBe(true);
    await expect(assess()).rejects.toThrow('no verifier');
    expect(await states()).toEqual(['provisional']);
    expect(await assess()).toBe(1);
  });
});
