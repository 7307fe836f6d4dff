import { AssessAttestations } from '../assess-attestations/assess-attestations';
import { AttestingPublisher } from '../attesting-publisher.fixture';
import { JudgingPublisher } from '../judging-publisher.fixture';

describe('a provisional attestation whose document is damaged', () => {
  let publisher: JudgingPublisher;
  let attesting: AttestingPublisher;
  beforeAll(async () => {
    publisher = await JudgingPublisher.open();
    attesting = new AttestingPublisher(publisher);
    publisher.trusted.clear();
    publisher.anew();
    await publisher.policy({ rule: { anyOf: [{ keyRef: 'release' }, { keyRef: 'builder' }] } });
    await publisher.publish({ version: '1.0.0' });
  });
  afterAll(() => publisher.close());

  const assess = () =>
    new AssessAttestations(publisher.unitOfWork, publisher.commands, attesting.addAttestation, publisher.clock).execute();
  const trust = async (epoch: number, ...names: string[]): Promise<void> => {
    publisher.trusted.clear();
    for (const name of names) publisher.trusted.add(name);
    await publisher.raiseEpoch(epoch);
  };
  const verified = () => publisher.rows<{ digest: string }>(`select digest from registry.pack_provenance order by added_at, digest`);
  const provisional = () =>
    publisher.rows<{ digest: string; reason: string; predicate_type: string }>(
      `select digest, reason, predicate_type from registry.provisional_attestations`,
    );

  it('stays one, says why, and keeps no other from being judged', async () => {
    const damaged = await attesting.taken('builder');
    const sound = await attesting.taken('release');
    const [row] = await publisher.rows<{ object_key: string }>(`select object_key from content.blobs where digest = '${damaged.digest}'`);
    const key = row?.object_key ?? '';
    const bytes = publisher.blobs.objects.get(key) ?? Buffer.alloc(0);
    publisher.blobs.objects.set(key, Buffer.alloc(bytes.length));

    await trust(100, 'release', 'builder');
    await assess();
    expect(await verified()).toEqual([{ digest: sound.digest }]);
    expect(await provisional()).toEqual([
      { digest: damaged.digest, reason: 'ERR_PACK_DIGEST_MISMATCH', predicate_type: 'https://slsa.dev/provenance/v1' },
    ]);
    expect(await assess()).toBe(0);

    publisher.blobs.objects.set(key, bytes);
    await trust(101, 'release', 'builder');
    await assess();
    expect([await verified(), await provisional()]).toMatchObject([{ length: 2 }, { length: 0 }]);
  });
});
