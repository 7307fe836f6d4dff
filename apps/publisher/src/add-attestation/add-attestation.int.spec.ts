import { VerifyAttestation, type AddAttestationReply, type VerifyAttestationRequest } from '@packs/contracts';
import {
  isSatisfied,
  MEDIA_TYPES,
  policyDigest,
  selectPolicy,
  sha256,
  verdictHash,
  type AttestationMediaType,
  type Verdict,
} from '@packs/domain';
import { createDataSource, PostgresAttestationReadModel, PostgresContentCatalog, PostgresPackReadModel } from '@packs/persistence';
import { JudgingPublisher } from '../judging-publisher.fixture';
import { AddAttestation } from './add-attestation';

const SLSA = 'https://slsa.dev/provenance/v1';

interface Manifest {
  readonly artifactType: string;
  readonly subject: { readonly digest: string; readonly size: number; readonly mediaType: string };
  readonly layers: readonly object[];
  readonly annotations: Readonly<Record<string, string>>;
}

describe('AddAttestation', () => {
  let publisher: JudgingPublisher;
  /** Runs before each verdict. */
  let meanwhile: () => Promise<unknown>;
  beforeAll(async () => {
    publisher = await JudgingPublisher.open();
    // The document says who signed it and what it is about; whoever is trusted is believed.
    publisher.commands.answer(VerifyAttestation, async request => {
      await meanwhile();
      return judge(request);
    });
  });
  afterAll(() => publisher.close());
  beforeEach(async () => {
    publisher.anew();
    meanwhile = () => Promise.resolve();
    await publisher.policy();
    await publisher.publish({ version: '1.0.0' });
  });

  function judge({ channel, packType, attestation, subject, policies, trust, evaluatedAt }: VerifyAttestationRequest) {
    const [name = '', , about] = (publisher.blobs.objects.get(attestation.objectKey) ?? '').toString().split(' ');
    const policy = selectPolicy(policies, { channel, packType });
    const identities = publisher.trusted.has(name)
      ? [{ kind: 'key', name, keyId: sha256(name), scheme: 'ed25519', signature: attestation.digest } as const]
      : [];
    const accepted = policy !== undefined && isSatisfied(policy.rule, identities) && about !== 'nothing';
    const verdict: Verdict = {
      schema: 'stellaops.io/verdict.v1',
      outcome: accepted ? 'accepted' : 'rejected',
      subject: { bundle: subject.bundle, attestation: attestation.digest },
      policy: policy ? { name: policy.name, version: policy.version, digest: policyDigest(policy) } : null,
      trust: { digest: trust.digest, epoch: trust.epoch },
      evidence: [attestation.digest],
      checks: [{ id: 'statement', outcome: accepted ? 'pass' : 'fail', reason: accepted ? 'ok' : 'ERR_PACK_ATTESTATION_INVALID' }],
      identities,
      evaluatedAt,
    };
    const faults = accepted ? [] : [{ code: 'ERR_PACK_ATTESTATION_INVALID', message: 'no' } as const];
    return { verdict, verdictHash: verdictHash(verdict), faults, predicateType: accepted ? SLSA : null };
  }

  async function attest(
    text: string,
    mediaType: AttestationMediaType = MEDIA_TYPES.dsseEnvelope,
    version = '1.0.0',
  ): Promise<AddAttestationReply> {
    const source = (async function* () {
      yield Buffer.from(text);
    })();
    const [blob] = await new PostgresContentCatalog(publisher.dataSource).record([await publisher.blobs.write(source, { maxBytes: 1e6 })]);
    if (!blob) throw new Error('nothing was recorded');
    const { digest, size, objectKey } = blob;
    const useCase = new AddAttestation(publisher.unitOfWork, publisher.commands, publisher.blobs, publisher.clock);
    return useCase.execute({ ...publisher.origin, packId: 'acme.hello', version, attestation: { digest, size, objectKey, mediaType } });
  }

  const added = async (...parts: Parameters<typeof attest>) => {
    const reply = await attest(...parts);
    if (reply.outcome === 'rejected' || reply.outcome === 'waiting') throw new Error(reply.outcome);
    return reply;
  };
  const verdictsAsked = () =>
    publisher.commands.sent.filter(({ subject }) => subject === VerifyAttestation.subject).map(({ request }) => request);
  const counts = async () => {
    const [row] = await publisher.rows<Record<string, number>>(
      `select (select count(*)::int from registry.pack_provenance) as attestations, (select count(*)::int from registry.manifests) as manifests,
         (select count(*)::int from registry.verdicts) as verdicts, (select count(*)::int from registry.outbox) as events`,
    );
    return row;
  };

  it('keeps the document as a referrer of the version, with the verdict and one event', async () => {
    const before = await counts();
    const reply = await added('release attests it', MEDIA_TYPES.sigstoreBundle);
    expect(reply).toMatchObject({
      outcome: 'added',
      mediaType: MEDIA_TYPES.sigstoreBundle,
      predicateType: SLSA,
      signers: [{ name: 'release', scheme: 'ed25519' }],
      addedAt: '2026-01-17T08:00:00.000Z',
      addedBy: 'user:alice',
    });
    expect(await counts()).toEqual({
      attestations: 1,
      manifests: (before?.['manifests'] ?? 0) + 1,
      verdicts: (before?.['verdicts'] ?? 0) + 1,
      events: (before?.['events'] ?? 0) + 1,
    });
    const [row] = await publisher.rows<{ object_key: string; subject: string; blob: string }>(
      `select b.object_key, m.subject, e.blob_digest as blob from registry.manifests m join content.blobs b using (digest)
       join registry.manifest_blobs e on e.tenant = m.tenant and e.manifest_digest = m.digest where m.digest = '${reply.manifestDigest}'`,
    );
    const manifest = JSON.parse((publisher.blobs.objects.get(row?.object_key ?? '') ?? '').toString()) as Manifest;
    expect(manifest).toMatchObject({
      artifactType: MEDIA_TYPES.sigstoreBundle,
      subject: { digest: row?.subject, mediaType: MEDIA_TYPES.ociManifest },
      layers: [{ digest: reply.digest, mediaType: MEDIA_TYPES.sigstoreBundle }],
      annotations: {
        'in-toto.io/predicate-type': SLSA,
        'dev.sigstore.bundle.content': 'dsse-envelope',
        'dev.sigstore.bundle.predicateType': SLSA,
      },
    });
    const [size] = await publisher.rows<{ size: string }>(`select size from content.blobs where digest = '${manifest.subject.digest}'`);
    expect(manifest.subject.size).toBe(Number(size?.size));
    expect(row?.blob).toBe(reply.digest);
    const [event] = await publisher.events('pack.attestation.added');
    expect(event?.data).toMatchObject({
      ...publisher.origin,
      packId: 'acme.hello',
      version: '1.0.0',
      attestation: reply.digest,
      referrer: reply.manifestDigest,
      predicateType: SLSA,
      signers: [{ name: 'release', keyId: sha256('release') }],
      verdictHash: reply.verdictHash,
      signatures: [reply.digest],
    });
  });

  it('asks about the version’s own digests, in the channel it was published to', async () => {
    await attest('release attests it');
    const [published] = await publisher.events('pack.version.published');
    expect(verdictsAsked()).toMatchObject([
      { channel: 'edge', packType: 'task', subject: { bundle: published?.data['digest'], manifest: published?.data['manifestDigest'] } },
    ]);
  });

  it('knows a document it has, whoever sends it and however often', async () => {
    const first = await added('release attests it');
    const before = await counts();
    publisher.clock.advance(60_000);
    expect(await attest('release attests it')).toEqual({ ...first, outcome: 'already-added' });
    expect(await counts()).toEqual(before);
    expect(verdictsAsked()).toHaveLength(1);
  });

  it('adds one document once when many send it at the same time', async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, () => attest('release attests it')));
    expect(replies.map(({ outcome }) => outcome).toSorted()).toEqual(['added', ...Array<string>(7).fill('already-added')]);
    expect(await counts()).toMatchObject({ attestations: 1 });
    expect(await publisher.events('pack.attestation.added')).toHaveLength(1);
  });

  it.each(['stranger attests it', 'board attests it', 'release attests nothing'])(
    'changes nothing when the verdict refuses "%s"',
    async text => {
      const before = await counts();
      const reply = await attest(text);
      expect(reply).toMatchObject({
        outcome: 'rejected',
        verdict: { outcome: 'rejected' },
        faults: [{ code: 'ERR_PACK_ATTESTATION_INVALID' }],
      });
      expect(await counts()).toEqual(before);
    },
  );

  it('judges again when trust changes between verdict and commit', async () => {
    let epoch = 10;
    meanwhile = async () => {
      if (epoch === 10) await publisher.raiseEpoch(epoch++);
    };
    expect(await attest('release attests it')).toMatchObject({ outcome: 'added' });
    expect(verdictsAsked()).toMatchObject([{ trust: { epoch: 0 } }, { trust: { epoch: 10 } }]);
    const rows = await publisher.rows<{ trust_epoch: string }>(`select trust_epoch from registry.pack_provenance`);
    expect(rows).toEqual([{ trust_epoch: '10' }]);
  });

  it('refuses what loses its trust between verdict and commit', async () => {
    meanwhile = async () => {
      if (!publisher.trusted.delete('release')) return;
      publisher.trusted.add('release');
      meanwhile = async () => void publisher.trusted.delete('release');
      await publisher.raiseEpoch(11);
    };
    expect(await attest('release attests it')).toMatchObject({ outcome: 'rejected', verdict: { trust: { epoch: 11 } } });
    expect(await counts()).toMatchObject({ attestations: 0 });
  });

  it.each(['2.0.0', '1.0.0+build'])('does not find version %s', async version => {
    await expect(attest('release attests it', MEDIA_TYPES.dsseEnvelope, version)).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
  });

  it('takes 128 of a version and no more', async () => {
    for (let n = 0; n < 128; n++) await added(`release attests it ${n}`);
    await expect(attest('release attests it too')).rejects.toMatchObject({ code: 'ERR_PACK_LIMIT' });
    expect(await counts()).toMatchObject({ attestations: 128 });
  });

  it('shows them to those who may see the version, and to nobody else', async () => {
    await publisher.unitOfWork.run(publisher.tenant, tx => tx.trust.setShareWith(publisher.tenant, ['globex']));
    await publisher.publish({ version: '1.1.0', tenantVisibility: ['globex'] });
    const { digest } = await added('release attests it', MEDIA_TYPES.dsseEnvelope, '1.1.0');
    await added('release attests it');
    const gateway = await createDataSource({ url: publisher.database.urlOf('api-gateway'), applicationName: 'spec' }).initialize();
    const namespace = publisher.tenant;
    const seenBy = async (tenant: string, version: string) =>
      (await new PostgresAttestationReadModel(gateway).list({ tenant, namespace }, 'acme.hello', version)).map(({ view }) => view.digest);
    expect(await seenBy(namespace, '1.0.0')).toHaveLength(1);
    expect(await seenBy('globex', '1.0.0')).toEqual([]);
    expect(await seenBy('globex', '1.1.0')).toEqual([digest]);
    expect(await seenBy('initech', '1.1.0')).toEqual([]);
    const version = await new PostgresPackReadModel(gateway).findVersion({ tenant: 'globex', namespace }, 'acme.hello', '1.1.0');
    expect(version?.view.provenance.attestations).toEqual([
      `/api/packs/acme.hello/versions/1.1.0/attestations/${digest}?namespace=${namespace}`,
    ]);
    await gateway.destroy();
  });
});
