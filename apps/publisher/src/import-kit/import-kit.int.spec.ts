import type { ImportKitReply, KitManifest } from '@packs/contracts';
import { canonicalJson, sha256, type Digest } from '@packs/domain';
import { kitBlobs } from '@packs/pack-format';
import { aKit, anExporter, aPack, aSigner, KIT_LOG, type Exporter } from '@packs/testing';
import { AssessAttestations } from '../assess-attestations/assess-attestations';
import { AttestingPublisher } from '../attesting-publisher.fixture';
import { ContestAttestation } from '../contest-attestation/contest-attestation';
import { JudgingPublisher } from '../judging-publisher.fixture';
import { ImportKit } from './import-kit';
import { JudgeKit } from './judge-kit';

const SLSA = 'https://slsa.dev/provenance/v1';
const VERSION = { packId: 'acme.hello', version: '1.0.0' };
/** Signs so that the verifier of these specs knows whose it is. */
const RELEASE = { ...aSigner('release'), bundle: (artifact: Buffer) => Buffer.from(`release signed ${artifact.toString()}`) };

describe('a kit with more about a version that is here', () => {
  let publisher: JudgingPublisher;
  let attesting: AttestingPublisher;
  let exporter: Exporter;
  let epoch = 100;
  beforeAll(async () => {
    publisher = await JudgingPublisher.open();
    attesting = new AttestingPublisher(publisher);
    exporter = await anExporter('hq');
  });
  afterAll(() => publisher.close());
  beforeEach(() => {
    publisher.trusted.clear();
    publisher.anew();
  });

  /** A kit of the version, let into these channels. */
  async function bring(generation: number, channels: string[], attestation?: Buffer): Promise<ImportKitReply> {
    const described = aPack({ metadata: VERSION });
    const content = Buffer.from(JSON.stringify(described));
    const pack = { ...VERSION, manifest: described, bundle: content, changes: { channels }, ...(attestation && { attestation }) };
    const kit = await aKit({ packs: [pack], signer: RELEASE });
    const versions = kit.manifest.versions.map(version => ({
      ...version,
      attestations: version.attestations.map(one => ({ ...one, predicateType: SLSA })),
    }));
    const source = { tenant: publisher.tenant, log: KIT_LOG };
    const manifest: KitManifest = { ...kit.manifest, generation, source, versions };
    const blobs = await Promise.all(kitBlobs(manifest).map(({ digest }) => written(kit.blobs.get(digest))));
    const whole = Buffer.from(canonicalJson(manifest));
    const judgeKit = new JudgeKit(publisher.commands, publisher.clock);
    return new ImportKit(publisher.unitOfWork, publisher.blobs, judgeKit, publisher.clock, [exporter.key]).execute({
      ...publisher.origin,
      plan: publisher.blobs.put(Buffer.from(JSON.stringify({ schema: 'stellaops.io/kit-plan.v1', manifest, blobs }))),
      kit: { digest: sha256(whole), size: whole.length },
      signature: publisher.blobs.put(await exporter.sign(whole, manifest)),
      acceptTrust: false,
    });
  }

  async function written(bytes: Buffer | undefined) {
    const source = (async function* () {
      if (bytes) yield bytes;
    })();
    return publisher.blobs.write(source, { maxBytes: 1e6 });
  }

  const heads = async () =>
    (await publisher.rows<{ channel: string }>(`select channel from registry.channel_heads order by channel`)).map(
      ({ channel }) => channel,
    );
  const bytesOf = (digest: Digest) => [...publisher.blobs.objects.values()].find(bytes => sha256(bytes) === digest);

  it('gets it into a channel that accepts it here', async () => {
    await publisher.policy();
    await publisher.publish(VERSION);
    expect(await bring(8, ['edge', 'stable'])).toEqual({ outcome: 'imported', added: 0, known: 1 });
    expect(await heads()).toEqual(['edge', 'stable']);
  });

  it('is judged again when its signatures are replaced before the commit', async () => {
    await publisher.policy({ rule: { anyOf: [{ keyRef: 'release' }, { keyRef: 'board' }] } });
    await publisher.policy({ name: 'stable', channel: 'stable' });
    await publisher.publish(VERSION);
    publisher.meanwhile = async () => {
      publisher.meanwhile = () => Promise.resolve();
      await publisher.rotate('1.0.0', { signers: ['board'], replaces: 'all' });
    };
    await expect(bring(8, ['edge', 'stable'])).rejects.toMatchObject({
      code: 'ERR_PACK_VERDICT_REJECTED',
      errors: [{ field: 'acme.hello@1.0.0 in stable', code: 'ERR_PACK_SIGNATURE_UNTRUSTED' }],
    });
    expect(await heads()).toEqual(['edge']);
  });

  it('gets it into no channel while it is withdrawn, whatever that channel accepts', async () => {
    await publisher.policy();
    await publisher.policy({ name: 'stable', channel: 'stable', rule: { keyRef: 'board' } });
    await publisher.publish(VERSION);
    await publisher.rotate('1.0.0', { signers: ['board'] });
    publisher.trusted.delete('release');
    await publisher.raiseEpoch(++epoch);
    await expect(bring(8, ['edge', 'stable'])).rejects.toMatchObject({
      code: 'ERR_PACK_VERDICT_REJECTED',
      errors: [{ field: 'acme.hello@1.0.0 in stable', code: 'ERR_PACK_WITHDRAWN' }],
    });
    expect(await heads()).toEqual(['edge']);
    publisher.trusted.add('release');
    await bring(8, ['edge', 'stable']);
    expect(await heads()).toEqual(['edge', 'stable']);
  });

  it('is judged by what is attested here, and not again by what is contested here', async () => {
    await publisher.policy();
    await publisher.policy({ name: 'stable', channel: 'stable', require: { attestations: [{ predicateType: SLSA }] } });
    await publisher.publish(VERSION);
    const contested = await attesting.taken('release');
    const document = bytesOf(contested.digest);
    publisher.trusted.add('board');
    await publisher.policy({ version: 2, rule: { anyOf: [{ keyRef: 'release' }, { keyRef: 'board' }] } });
    const local = await attesting.taken('board');
    await new ContestAttestation(publisher.unitOfWork, publisher.commands, publisher.clock).execute({
      ...{ ...publisher.origin, ...VERSION, digest: contested.digest },
      ...{ decision: 'contest', reason: 'the build machine was not ours' },
    });
    await bring(8, ['edge', 'stable'], document);
    expect(publisher.reverified().at(-1)).toMatchObject({ channel: 'stable', attestations: [{ digest: local.digest }] });
  });

  it('makes what was provisional here recorded, and leaves nothing to be judged for ever', async () => {
    await publisher.policy({ rule: { anyOf: [{ keyRef: 'release' }, { keyRef: 'builder' }] } });
    await publisher.publish(VERSION);
    const { outcome, digest } = await attesting.taken('builder');
    publisher.trusted.add('builder');
    await publisher.raiseEpoch(++epoch);
    await bring(7, ['edge'], bytesOf(digest));
    expect([outcome, await publisher.rows(`select 1 from registry.provisional_attestations`)]).toEqual(['provisional', []]);
    expect(await publisher.rows(`select digest, state from registry.pack_provenance`)).toEqual([{ digest, state: 'verified' }]);
    const { unitOfWork, commands, clock } = publisher;
    expect(await new AssessAttestations(unitOfWork, commands, attesting.addAttestation, clock).execute()).toBe(0);
  });
});
