import { VerifyBundle } from '@packs/contracts';
import { sha256, type Digest } from '@packs/domain';
import { PushingPublisher } from '../pushing-publisher.fixture';
import { PushingSigner, SLSA } from '../pushing-signer.fixture';

const OTHER = 'https://spdx.dev/Document';
const stranger = new PushingSigner('release');

describe('AddAttestation for a version that waits', () => {
  let publisher: PushingPublisher;
  beforeAll(async () => {
    publisher = await PushingPublisher.open();
  });
  beforeEach(() => publisher.anew('pending', { attestations: [{ predicateType: SLSA }] }));
  afterAll(() => publisher.close());

  const count = async (table: string) =>
    (await publisher.sql<{ n: number }>(`select count(*)::int as n from registry.${table} where tenant = $1`, [publisher.tenant]))[0]?.n;
  const attested = () =>
    publisher.sql<{ digest: Digest; manifest_digest: Digest; predicate_type: string }>(
      `select digest, manifest_digest, predicate_type from registry.pack_provenance where tenant = $1 order by predicate_type`,
      [publisher.tenant],
    );
  const asked = () =>
    publisher.commands.sent
      .filter(({ subject }) => subject === VerifyBundle.subject)
      .map(({ request }) => (request as { attestations?: { digest: Digest }[] }).attestations?.map(({ digest }) => digest));

  /** Pushed and signed, so that nothing but the attestation is wanting. */
  async function signed(): Promise<Digest> {
    const { digest } = await publisher.pushPack();
    const reply = await publisher.refer(digest, publisher.release.statement(digest));
    expect(reply).toMatchObject({ state: 'pending', version: '1.0.0' });
    return digest;
  }

  it('publishes it when that was wanting, with the attestation and its event', async () => {
    const digest = await signed();
    const document = publisher.release.statement(digest, SLSA);
    const reply = await publisher.attest(document);
    expect(reply).toMatchObject({ outcome: 'added', digest: sha256(document), predicateType: SLSA, signers: [{ name: 'release' }] });
    expect([await count('pack_versions'), await count('pending_versions')]).toEqual([1, 0]);
    expect(await attested()).toMatchObject([{ digest: sha256(document), predicate_type: SLSA }]);
    expect(await publisher.eventTypes()).toEqual(['pack.version.pending', 'pack.version.published', 'pack.attestation.added']);
    expect(await publisher.attest(document)).toMatchObject({ outcome: 'already-added' });
    expect(asked().at(-1)).toEqual([sha256(document)]);
  });

  it('publishes it as well when it comes by OCI', async () => {
    const digest = await signed();
    const reply = await publisher.refer(digest, publisher.release.statement(digest, SLSA));
    expect(reply).toMatchObject({ state: 'published', version: '1.0.0' });
    expect(await attested()).toMatchObject([{ manifest_digest: reply.digest }]);
  });

  it('publishes what came by REST, about the bundle alone', async () => {
    const { digest: bundle, ...published } = await publishedByRest();
    expect(published).toMatchObject({ outcome: 'pending', faults: [{ code: 'attestation-missing' }] });
    expect(await publisher.attest(publisher.release.statement(bundle, SLSA))).toMatchObject({ outcome: 'added' });
    expect(await count('pack_versions')).toBe(1);
  });

  it('keeps what was not wanting beside it, and adds it with the version', async () => {
    const digest = await signed();
    const other = publisher.release.statement(digest, OTHER);
    const waiting = await publisher.attest(other);
    expect(waiting).toMatchObject({ outcome: 'waiting', digest: sha256(other), predicateType: OTHER });
    expect([await count('pack_versions'), await count('pack_provenance')]).toEqual([0, 0]);
    expect(await publisher.attest(other)).toEqual(waiting);
    expect(await publisher.attest(publisher.release.statement(digest, SLSA))).toMatchObject({ outcome: 'added' });
    expect(await attested()).toMatchObject([{ predicate_type: SLSA }, { predicate_type: OTHER, digest: sha256(other) }]);
  });

  it('publishes it with one of what two referrers carry', async () => {
    const digest = await signed();
    const other = publisher.release.statement(digest, OTHER);
    await publisher.refer(digest, other);
    const newest = await publisher.refer(digest, other, undefined, { annotations: { again: 'yes' } });
    expect(await publisher.attest(publisher.release.statement(digest, SLSA))).toMatchObject({ outcome: 'added' });
    expect([await count('pack_versions'), await count('pending_versions')]).toEqual([1, 0]);
    expect(await attested()).toMatchObject([
      { predicate_type: SLSA },
      { predicate_type: OTHER, digest: sha256(other), manifest_digest: newest.digest },
    ]);
  });

  it('goes on waiting for one by those who are trusted', async () => {
    const digest = await signed();
    expect(await publisher.attest(stranger.statement(digest, SLSA))).toMatchObject({ outcome: 'waiting' });
    expect(await count('pack_versions')).toBe(0);
    expect(await publisher.attest(publisher.release.statement(digest, SLSA))).toMatchObject({ outcome: 'added' });
    expect(await attested()).toHaveLength(1);
  });

  it('waits for the signature as well', async () => {
    const { digest } = await publisher.pushPack();
    expect(await publisher.attest(publisher.release.statement(digest, SLSA))).toMatchObject({ outcome: 'waiting' });
    expect(await publisher.refer(digest, publisher.release.statement(digest))).toMatchObject({ state: 'published' });
    expect(await attested()).toHaveLength(1);
  });

  it('is refused where the document states nothing, and where there is no version', async () => {
    const digest = await signed();
    const signature = publisher.release.statement(digest);
    await expect(publisher.attest(signature)).rejects.toMatchObject({ code: 'ERR_PACK_ATTESTATION_INVALID' });
    await publisher.anew();
    await expect(publisher.attest(publisher.release.statement(digest, SLSA))).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
  });

  it('rejects a publish outright where the policy does not let it wait', async () => {
    await publisher.anew('reject', { attestations: [{ predicateType: SLSA }] });
    expect(await publishedByRest()).toMatchObject({ outcome: 'rejected' });
    expect(await count('pending_versions')).toBe(0);
  });

  async function publishedByRest() {
    const { bundle } = await publisher.packBody();
    const reply = await publisher.publish({}, [publisher.release.statement(bundle.digest)]);
    return { ...reply, digest: bundle.digest };
  }
});
