import { ChannelUpdated, KitImported, newEvent, type ImportKitReply, type ImportKitRequest } from '@packs/contracts';
import { canonicalDigest, DomainError, isBuiltInChannel, type TrustedKey } from '@packs/domain';
import { readWhole, type BlobStore, type Clock, type RegistryTx, type RegistryUnitOfWork, type TrustState } from '@packs/ports';
import { readTrustMaterial } from '@packs/sigstore';
import { JUDGE_AGAIN, judgeAndCommit } from '../judgement/judge-and-commit';
import { areAsJudged } from './as-judged';
import { commitVersion } from './commit-version';
import type { JudgedVersion, JudgeKit, MissingParts } from './judge-kit';
import { KitContents } from './kit-contents';
import { adoptedTrust, adoptTrust, type AdoptedTrust } from './kit-trust';
import { missingParts } from './missing-parts';

const KEYS_MAX_BYTES = 512 * 1024;
/** Blobs recorded in one statement. */
const BLOBS_PAGE = 5_000;

interface Judged {
  readonly versions: readonly JudgedVersion[];
  readonly adopted: AdoptedTrust | undefined;
}

/**
 * Publishes everything a kit holds in one transaction. Before its commit nobody sees any of it, after it everybody sees all of it; a kit that was
 * imported before changes nothing.
 */
export class ImportKit {
  /** Imports under way: who asks again while one takes long gets its answer, and causes no second. */
  private readonly running = new Map<string, Promise<ImportKitReply>>();

  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly blobs: BlobStore,
    private readonly judgeKit: JudgeKit,
    private readonly clock: Clock,
    private readonly installed: readonly TrustedKey[],
  ) {}

  /**
   * @throws DomainError ERR_KIT_SIGNER, ERR_KIT_TENANT, ERR_KIT_STALE, ERR_KIT_CONFLICT, ERR_PACK_VERDICT_REJECTED with what was refused and why,
   * ERR_PACK_VISIBILITY
   */
  async execute(request: ImportKitRequest): Promise<ImportKitReply> {
    const key = `${request.tenant}/${request.kit.digest}/${request.plan.objectKey}`;
    const running = this.running.get(key) ?? this.import(request).finally(() => this.running.delete(key));
    this.running.set(key, running);
    return running;
  }

  private async import(request: ImportKitRequest): Promise<ImportKitReply> {
    const { tenant } = request;
    const named = await this.unitOfWork.run(tenant, tx => tx.kits.exporters(tenant));
    const own = named ? readTrustMaterial(await readWhole(this.blobs, named, KEYS_MAX_BYTES)).keys : [];
    const contents = await KitContents.read(this.blobs, request, [...own, ...this.installed]);
    const begin = await this.unitOfWork.run(tenant, async tx => ({
      earlier: await earlierReply(tx, request, contents),
      trust: await tx.trust.state(tenant, 'none'),
    }));
    if (begin.earlier) return begin.earlier;
    return judgeAndCommit<Judged, ImportKitReply>(this.unitOfWork, {
      tenant,
      trust: begin.trust,
      judge: async trust => ({ judged: await this.judge(request, contents, trust) }),
      commit: (tx, judged, trust) => this.commit(tx, request, { contents, judged, trust }),
    });
  }

  private async judge(request: ImportKitRequest, contents: KitContents, trust: TrustState): Promise<Judged> {
    const missing = await this.unitOfWork.run(request.tenant, async tx => {
      const parts: MissingParts[] = [];
      for (const version of contents.manifest.versions) parts.push(await missingParts(tx, request.tenant, version));
      return parts;
    });
    const adopted = request.acceptTrust ? await adoptedTrust(contents, this.blobs, trust) : undefined;
    return { versions: await this.judgeKit.execute(request, contents, missing, adopted?.state ?? trust), adopted };
  }

  private async commit(
    tx: RegistryTx,
    request: ImportKitRequest,
    { contents, judged, trust }: { readonly contents: KitContents; readonly judged: Judged; readonly trust: TrustState },
  ): Promise<ImportKitReply | typeof JUDGE_AGAIN> {
    const { tenant, actor } = request;
    const { manifest, exporter } = contents;
    // Imports of one tenant take turns from here on.
    await tx.trust.state(tenant, 'update');
    const earlier = await earlierReply(tx, request, contents);
    if (earlier) return earlier;
    if (!(await areAsJudged(tx, tenant, judged.versions))) return JUDGE_AGAIN;
    const now = this.clock.now();
    for (let at = 0; at < contents.blobs.length; at += BLOBS_PAGE) await tx.kits.addBlobs(contents.blobs.slice(at, at + BLOBS_PAGE));
    // All at once and first, in the order that every transaction records blobs in.
    await tx.kits.addBlobs(judged.versions.flatMap(({ verified }) => verified?.scanReports ?? []));
    if (judged.adopted) await adoptTrust(tx, request, { adopted: judged.adopted, current: trust, store: this.blobs, now });
    await this.addChannels(tx, request, contents, now);
    const shareWith = (judged.adopted?.state ?? trust).shareWith;
    let added = 0;
    for (const version of judged.versions) if (await commitVersion({ tx, request, contents, shareWith, now }, version)) added += 1;
    const { generation, source, selection, versions } = manifest;
    const { digest, size } = request.kit;
    await tx.kits.addImported(tenant, { log: source.log, kit: digest, generation, exporter: exporter.keyId, at: now.toISOString(), actor });
    const state = {
      digest,
      generation,
      log: source.log,
      selection,
      versions: versions.length,
      added,
      size,
      exporter: exporter.keyId,
      acceptTrust: request.acceptTrust,
    };
    const data = { packId: null, version: null, actor, tenant, source: request.source, signatures: [], metadataHash: digest };
    await tx.outbox.append(newEvent(KitImported, { ...data, ...state }, now));
    return { outcome: 'imported', added, known: versions.length - added };
  }

  private async addChannels(
    tx: RegistryTx,
    { tenant, actor, source }: ImportKitRequest,
    { manifest }: KitContents,
    now: Date,
  ): Promise<void> {
    const known = new Set((await tx.channels.custom(tenant)).map(({ name }) => name));
    for (const channel of manifest.channels) {
      if (known.has(channel.name) || isBuiltInChannel(channel.name)) continue;
      const { name, description, createdAt, createdBy } = channel;
      await tx.channels.put(tenant, channel);
      const state = { channel: name, description, createdAt, createdBy };
      const data = { packId: null, version: null, actor, tenant, source, signatures: [], metadataHash: canonicalDigest(state) };
      await tx.outbox.append(newEvent(ChannelUpdated, { ...data, ...state }, now));
    }
  }
}

/** @throws DomainError ERR_KIT_STALE */
async function earlierReply(
  tx: RegistryTx,
  { tenant, kit }: ImportKitRequest,
  { manifest }: KitContents,
): Promise<ImportKitReply | undefined> {
  const { generation, source, versions } = manifest;
  const { newest, isImported } = await tx.kits.imported(tenant, source.log, kit.digest);
  if (newest !== null && generation < newest) {
    throw new DomainError('ERR_KIT_STALE', `generation ${newest} of this source was imported; this kit is of generation ${generation}`, {
      details: { generation, newestImported: newest },
    });
  }
  return isImported ? { outcome: 'unchanged', added: 0, known: versions.length } : undefined;
}
