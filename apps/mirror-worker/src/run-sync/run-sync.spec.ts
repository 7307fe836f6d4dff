import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  MAX_JUDGED_ATTESTATIONS,
  ReverifyVersion,
  VerifyAttestation,
  type MirrorState,
  type ReverifyVersionRequest,
} from '@packs/contracts';
import { MEDIA_TYPES, sha256 } from '@packs/domain';
import { FileMirrorTargets } from '@packs/oci-layout';
import type { InventoryBlob, InventoryVersion } from '@packs/ports';
import { FixedClock, InMemoryBlobStore, ScriptedCommandBus } from '@packs/testing';
import { Admission } from '../admission/admission';
import { aHeldJob, aMirror, aStoredVersion, FakeInventory, FakeQueue } from '../mirror-worker.fixture';
import { RunSync } from './run-sync';

const mirror = aMirror();
const SLSA = 'https://slsa.dev/provenance/v1';
const STALE = { epoch: 1, channel: 'edge', policy: null, signatures: [], trust: { epoch: 2, digest: sha256('other'), material: null } };

describe('RunSync', () => {
  let root: string;
  let blobs: InMemoryBlobStore;
  let inventory: FakeInventory;
  let queue: FakeQueue;
  let commands: ScriptedCommandBus;
  let runSync: RunSync;
  let targets: FileMirrorTargets;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mirrors-'));
    blobs = new InMemoryBlobStore();
    inventory = new FakeInventory();
    queue = new FakeQueue();
    commands = new ScriptedCommandBus();
    targets = new FileMirrorTargets(root);
    runSync = new RunSync(inventory, blobs, targets, queue, new Admission(commands, new FixedClock()));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  async function sync(
    verify = false,
  ): Promise<{ state: MirrorState | undefined; outcome: Awaited<ReturnType<RunSync['execute']>>['outcome'] }> {
    blobs.reads.length = 0;
    const { signal } = new AbortController();
    const { staged, outcome, tidy } = await runSync.execute(aHeldJob({ verify }), mirror, signal);
    await staged.commit();
    await tidy(signal);
    return { state: await (await targets.open(mirror)).state(), outcome };
  }
  async function aBlob(text: string, mediaType: string): Promise<InventoryBlob> {
    const bytes = Buffer.from(text);
    return { ...(await blobs.write(Readable.from([bytes]), { maxBytes: bytes.length })), mediaType };
  }
  const pathOf = (digest: string): string => join(root, 'acme', 'north', 'blobs', 'sha256', digest.slice('sha256:'.length));

  it('copies what is selected and shows it, with the heads of the versions it has', async () => {
    inventory.all.push(await aStoredVersion(blobs, 'one'), await aStoredVersion(blobs, 'two'));
    inventory.channelHeads = [
      { packId: 'one', channel: 'edge', version: '1.0.0' },
      { packId: 'gone', channel: 'edge', version: '1.0.0' },
    ];
    const { state, outcome } = await sync();
    expect(state?.versions.map(({ packId }) => packId)).toEqual(['one', 'two']);
    expect(state?.channels).toEqual([{ packId: 'one', channel: 'edge', version: '1.0.0' }]);
    expect(outcome).toMatchObject({ counts: { versions: 2, totalVersions: 2, skipped: 0, repaired: 0 }, skipped: [] });
    expect(outcome.counts.copiedBytes).toBe(outcome.counts.bytes);
    expect(queue.copies.size).toBe(10);
  });

  it('reads nothing of what was copied and recorded before, at the mirror or in the registry', async () => {
    inventory.all.push(await aStoredVersion(blobs, 'one'));
    await sync();
    const { outcome } = await sync();
    expect([blobs.reads, outcome.counts]).toMatchObject([[], { copiedBytes: 0, versions: 1 }]);
  });

  it('proves what a killed worker copied and did not record, instead of copying it again', async () => {
    inventory.all.push(await aStoredVersion(blobs, 'one'));
    await sync();
    queue.copies.clear();
    const { outcome } = await sync();
    expect([blobs.reads, outcome.counts.copiedBytes, queue.copies.size]).toEqual([[], 0, 5]);
  });

  it('leaves altered bytes of the right size to a sync that verifies, which repairs them', async () => {
    const version = await aStoredVersion(blobs, 'one');
    inventory.all.push(version);
    await sync();
    const right = await readFile(pathOf(version.digest));
    await writeFile(pathOf(version.digest), Buffer.alloc(right.length, '!'));
    expect((await sync()).outcome.counts.repaired).toBe(0);
    expect((await sync(true)).outcome.counts).toMatchObject({ repaired: 1, copiedBytes: right.length });
    expect(await readFile(pathOf(version.digest))).toEqual(right);
  });

  it('shows everything but a version whose bytes are damaged in the registry, and says which', async () => {
    const damaged = await aStoredVersion(blobs, 'damaged');
    inventory.all.push(damaged, await aStoredVersion(blobs, 'whole'));
    const bundle = damaged.blobs.find(({ digest }) => digest === damaged.digest);
    blobs.objects.set(bundle?.objectKey ?? '', Buffer.from('bundle of dAmaged'));
    const { state, outcome } = await sync();
    expect(state?.versions.map(({ packId }) => packId)).toEqual(['whole']);
    expect(outcome).toMatchObject({
      counts: { versions: 1, skipped: 1 },
      skipped: [{ packId: 'damaged', version: '1.0.0', code: 'ERR_PACK_CORRUPT' }],
    });
  });

  it('has a version verified again after a change of trust, once, and withdraws one that fails', async () => {
    inventory.all.push(
      await aStoredVersion(blobs, 'good', { verification: STALE }),
      await aStoredVersion(blobs, 'revoked', { verification: STALE }),
    );
    const revoked = inventory.all[1]?.digest;
    commands.answer(
      ReverifyVersion,
      ({ bundle }) =>
        ({ verdict: { outcome: bundle.digest === revoked ? 'rejected' : 'accepted' }, verdictHash: sha256('v'), faults: [] }) as never,
    );
    const { state, outcome } = await sync();
    expect([state?.versions, state?.withdrawn]).toMatchObject([[{ packId: 'good' }], [{ packId: 'revoked', version: '1.0.0' }]]);
    expect(outcome.skipped).toEqual([{ packId: 'revoked', version: '1.0.0', code: 'ERR_PACK_WITHDRAWN' }]);
    await sync();
    expect(commands.sent).toHaveLength(2);
  });

  it('has it judged by the newest attestations of the kinds that its policy asks for, however many there are', async () => {
    const version = await aStoredVersion(blobs, 'attested');
    const attested = async (n: number, predicateType: string): Promise<InventoryVersion['referrers'][number]> => {
      const document = await aBlob(`statement ${n} of ${predicateType}`, MEDIA_TYPES.dsseEnvelope);
      const manifest = {
        ...(await aBlob(`its manifest ${n} ${predicateType}`, MEDIA_TYPES.ociManifest)),
        artifactType: document.mediaType,
      };
      const addedAt = new Date(Date.parse(version.publishedAt) + n * 1_000).toISOString();
      return { manifest, blobs: [document], kind: 'attestation', verification: { epoch: 2, policy: null, predicateType, addedAt } };
    };
    const wanted = await Promise.all(Array.from({ length: 40 }, (_, n) => attested(n, SLSA)));
    const others = await Promise.all(Array.from({ length: 40 }, (_, n) => attested(100 + n, 'https://example.test/other')));
    const referrers = [...version.referrers, ...others, ...wanted].toSorted((a, b) => (a.manifest.digest < b.manifest.digest ? -1 : 1));
    const rule = { rule: { keyRef: 'release' }, require: { attestations: [{ predicateType: SLSA }] } };
    const verification = { ...STALE, policy: { name: 'default', version: 1, unsigned: 'reject' as const, ...rule } };
    inventory.all.push({ ...version, referrers, verification });
    commands.answer(ReverifyVersion, () => ({ verdict: { outcome: 'accepted' }, verdictHash: sha256('v'), faults: [] }) as never);
    await sync();
    const [asked] = commands.sent.map(({ request }) => request as ReverifyVersionRequest);
    const newest = wanted.toReversed().slice(0, MAX_JUDGED_ATTESTATIONS);
    expect(asked?.attestations?.map(({ digest }) => digest)).toEqual(newest.map(({ blobs: [document] }) => document?.digest));

    inventory.all[0] = { ...version, referrers: [...referrers, await attested(200, SLSA)], verification };
    await sync();
    expect(commands.sent).toHaveLength(2);
  });

  it('leaves no bytes at the mirror of a version that is withdrawn, nor the memory of having copied them', async () => {
    const version = await aStoredVersion(blobs, 'revoked');
    inventory.all.push(version);
    await sync();
    expect(existsSync(pathOf(version.digest))).toBe(true);
    inventory.all[0] = { ...version, verification: STALE };
    commands.answer(ReverifyVersion, () => ({ verdict: { outcome: 'rejected' }, verdictHash: sha256('v'), faults: [] }) as never);
    await sync();
    expect([existsSync(pathOf(version.digest)), queue.copies.size]).toEqual([false, 0]);
  });

  it('takes away an attestation whose signer lost the trust, says so, and brings it back with the trust', async () => {
    const version = await aStoredVersion(blobs, 'attested');
    const document = await aBlob('what is attested', MEDIA_TYPES.dsseEnvelope);
    const manifest = { ...(await aBlob('manifest of it', MEDIA_TYPES.ociManifest)), artifactType: document.mediaType };
    const attested = (epoch: number): InventoryVersion => ({
      ...version,
      referrers: [
        ...version.referrers,
        {
          manifest,
          blobs: [document],
          kind: 'attestation',
          verification: { epoch, policy: null, predicateType: SLSA, addedAt: version.publishedAt },
        },
      ],
    });
    const shown = ({ state }: Awaited<ReturnType<typeof sync>>) => state?.versions[0];
    const there = () => [manifest, document].map(({ digest }) => existsSync(pathOf(digest)));
    inventory.all[0] = attested(1);
    const withAll = shown(await sync());
    expect([withAll?.referrers.length, withAll?.withdrawn, there()]).toEqual([2, undefined, [true, true]]);

    let outcome = 'rejected';
    commands.answer(VerifyAttestation, () => ({ verdict: { outcome } }) as never);
    inventory.all[0] = attested(0);
    const without = shown(await sync());
    expect([without?.referrers.map(({ kind }) => kind), without?.withdrawn, there()]).toEqual([
      ['signature'],
      [manifest.digest],
      [false, false],
    ]);
    expect(commands.sent).toMatchObject([
      {
        request: {
          attestation: { digest: document.digest, mediaType: document.mediaType },
          subject: { bundle: version.digest, manifest: version.manifest.digest },
        },
      },
    ]);

    outcome = 'accepted';
    const { trust } = version.verification;
    inventory.all[0] = { ...attested(0), verification: { ...version.verification, epoch: 2, trust: { ...trust, epoch: 2 } } };
    expect([shown(await sync()), there()]).toEqual([withAll, [true, true]]);
  });

  it('brings what clients have attached, and takes it away when they do', async () => {
    const plain = await aStoredVersion(blobs, 'one');
    const [manifest, sbom] = [
      await aBlob('manifest of the sbom', MEDIA_TYPES.ociManifest),
      await aBlob('sbom', 'application/octet-stream'),
    ];
    const attached = { manifest: { ...manifest, artifactType: 'text/spdx' }, blobs: [sbom], kind: 'referrer' as const, verification: null };
    inventory.all.push({ ...plain, referrers: [...plain.referrers, attached] });
    const first = await sync();
    expect(first.state?.versions[0]?.referrers.map(({ kind }) => kind)).toEqual(['signature', 'referrer']);
    expect([existsSync(pathOf(manifest.digest)), existsSync(pathOf(sbom.digest))]).toEqual([true, true]);
    inventory.all.splice(0, 1, plain);
    const second = await sync();
    expect(second.state?.versions[0]?.referrers).toHaveLength(1);
    expect([existsSync(pathOf(manifest.digest)), existsSync(pathOf(sbom.digest))]).toEqual([false, false]);
  });

  it('fails, and shows what it showed, when nobody can verify', async () => {
    inventory.all.push(await aStoredVersion(blobs, 'one'));
    const { state } = await sync();
    inventory.all.push(await aStoredVersion(blobs, 'two', { verification: STALE }));
    await expect(sync()).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE' });
    expect(await (await targets.open(mirror)).state()).toEqual(state);
  });

  it('ends when it is told to, and shows nothing of it', async () => {
    inventory.all.push(await aStoredVersion(blobs, 'one'));
    const controller = new AbortController();
    controller.abort(new Error('stopping'));
    await expect(runSync.execute(aHeldJob(), mirror, controller.signal)).rejects.toThrow('stopping');
    expect(await (await targets.open(mirror)).state()).toBeUndefined();
  });
});
