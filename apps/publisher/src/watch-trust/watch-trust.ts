import { newEvent, TrustDrifted, TrustEnding, TrustRestored, TrustUpdated } from '@packs/contracts';
import { canonicalDigest, sha256, type Digest, type TrustMaterial } from '@packs/domain';
import {
  readWhole,
  type BlobStore,
  type Clock,
  type RegistryTx,
  type RegistryUnitOfWork,
  type TrustFindings,
  type TrustState,
} from '@packs/ports';
import {
  ANY_TENANT,
  countingKeyIds,
  encodeTrustMaterial,
  readTrustMaterial,
  trustEdges,
  trustEndings,
  type SignedTrustBundle,
  type EndingPart,
} from '@packs/sigstore';
import type { TrustBundleFile } from '../rotate-trust/trust-bundle-file';
import { nearEndings, nextStage } from './near-endings';

const PAGE = 100;
const MATERIAL_MAX_BYTES = 1024 * 1024;
const ACTOR = 'system:trust';
const NOTHING: TrustFindings = { drift: null, endings: [] };

interface Expected {
  readonly tenant: string;
  readonly digest: Digest;
  readonly version: number;
  readonly material: Digest;
}

interface Judged {
  readonly state: TrustState;
  readonly material: TrustMaterial;
  readonly endings: readonly EndingPart[];
  readonly bundleVersion: number | null;
  readonly expected: Expected | null;
  readonly now: Date;
}

/**
 * What time does to trust. When a key begins or ends to count the trust epoch is raised, so that readers judge again; what drifted from the file of the
 * installation, and what comes to its end, is told once. Any replica may look, and several at once: each change is committed with what it tells.
 */
export class WatchTrust {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
    private readonly file: TrustBundleFile,
    /** The longest first. */
    private readonly days: readonly number[],
  ) {}

  /** @returns at how many tenants something had changed @throws what went wrong first, after everything else was looked at */
  async execute(): Promise<number> {
    const now = this.clock.now();
    const errors: unknown[] = [];
    const noting = (error: unknown): undefined => void errors.push(error);
    const file = await this.file.read().then(expectedBy, noting);
    let changed = 0;
    for await (const tenant of this.due(file, now)) {
      if (await this.look(tenant, file, now).catch(noting)) changed += 1;
    }
    if (errors.length > 0) throw errors[0];
    return changed;
  }

  /** @param expected undefined: it cannot be read now; what was found out by it stays */
  private async *due(expected: Expected | null | undefined, now: Date): AsyncIterable<string> {
    const named = expected && expected.tenant !== ANY_TENANT ? expected.tenant : undefined;
    // A tenant that has never trusted anything is compared as well.
    if (named !== undefined && (await this.unitOfWork.run(named, tx => tx.trustWatches.find(named))) === undefined) yield named;
    for (let after = ''; ;) {
      const page = { after, limit: PAGE };
      const tenants = await this.unitOfWork.run('', tx => tx.trustWatches.due(now.toISOString(), expected, page));
      yield* tenants;
      const last = tenants.at(-1);
      if (last === undefined || tenants.length < PAGE) return;
      after = last;
    }
  }

  private async look(tenant: string, file: Expected | null | undefined, now: Date): Promise<boolean> {
    const [state, bundle] = await this.unitOfWork.run(tenant, async tx => [
      await tx.trust.state(tenant, 'none'),
      await tx.trustBundles.current(tenant),
    ]);
    const material = state.material ? readTrustMaterial(await readWhole(this.blobs, state.material, MATERIAL_MAX_BYTES)) : { keys: [] };
    const ofBundle: EndingPart[] = bundle ? [{ kind: 'bundle', name: `version ${bundle.version}`, at: bundle.validUntil }] : [];
    const endings = [...trustEndings(material, now), ...ofBundle];
    const expected = file && (file.tenant === ANY_TENANT || file.tenant === tenant) ? file : null;
    const judged = { state, material, endings, bundleVersion: bundle?.version ?? null, expected, now };
    return this.unitOfWork.run(tenant, tx => this.record(tx, tenant, judged, file === undefined));
  }

  private async record(tx: RegistryTx, tenant: string, judged: Judged, keepsDrift: boolean): Promise<boolean> {
    const { now, endings, material, expected } = judged;
    const state = await tx.trust.state(tenant, 'update');
    const bundle = await tx.trustBundles.current(tenant);
    // Somebody changed it meanwhile: it is due still.
    if (state.epoch !== judged.state.epoch || (bundle?.version ?? null) !== judged.bundleVersion) return false;
    const watch = (await tx.trustWatches.find(tenant)) ?? { changedAt: now.toISOString(), compared: null, findings: NOTHING };
    const edges = trustEdges(material);
    const isCrossed = edges.some(edge => edge > new Date(watch.changedAt) && edge <= now);
    if (isCrossed) await this.raise(tx, tenant, judged);
    const drift = keepsDrift ? watch.findings.drift : driftOf(state.digest, expected);
    const findings: TrustFindings = { drift, endings: nearEndings(endings, this.days, now) };
    await tell(tx, tenant, { before: watch.findings, findings, judged });
    const nextEdge = edges.find(edge => edge > now);
    const next = [nextEdge, nextStage(endings, this.days, now)]
      .filter(moment => moment !== undefined)
      .toSorted((a, b) => a.getTime() - b.getTime())[0];
    const compared = keepsDrift ? watch.compared : (expected?.digest ?? null);
    const changedAt = isCrossed ? now.toISOString() : watch.changedAt;
    await tx.trustWatches.put(tenant, { changedAt, compared, findings }, next?.toISOString() ?? null);
    return isCrossed || canonicalDigest(findings) !== canonicalDigest(watch.findings);
  }

  private async raise(tx: RegistryTx, tenant: string, { state, material, now }: Judged): Promise<void> {
    if (!state.material) return;
    const { digest } = state;
    const epoch = state.epoch + 1;
    await tx.trust.setMaterial(tenant, epoch, state.material, now.toISOString());
    await tx.outbox.append(newEvent(TrustUpdated, { ...by(tenant, digest), epoch, digest, keyIds: countingKeyIds(material, now) }, now));
  }
}

function expectedBy(signed: SignedTrustBundle | null): Expected | null {
  if (!signed) return null;
  const { tenant, version, material } = signed.bundle;
  return { tenant, version, digest: signed.digest, material: sha256(encodeTrustMaterial(material)) };
}

function driftOf(active: Digest, expected: Expected | null): TrustFindings['drift'] {
  if (!expected || expected.material === active) return null;
  return { active, expected: expected.material, bundleVersion: expected.version };
}

interface News {
  readonly before: TrustFindings;
  readonly findings: TrustFindings;
  readonly judged: Judged;
}

/** Once for each change: an ending is told again only when it has come nearer. */
async function tell(tx: RegistryTx, tenant: string, { before, findings, judged }: News): Promise<void> {
  const { state, expected, now } = judged;
  if (canonicalDigest(before.drift) !== canonicalDigest(findings.drift)) {
    const compared = { active: state.digest, expected: expected?.material ?? null, bundleVersion: expected?.version ?? null };
    const data = { ...by(tenant, canonicalDigest(compared)), ...compared };
    await tx.outbox.append(findings.drift ? newEvent(TrustDrifted, data, now) : newEvent(TrustRestored, data, now));
  }
  const told = new Set(before.endings.map(ending => canonicalDigest(ending)));
  const endings = findings.endings.filter(ending => !told.has(canonicalDigest(ending)));
  if (endings.length > 0) {
    const data = { ...by(tenant, canonicalDigest(endings)), epoch: state.epoch, endings };
    await tx.outbox.append(newEvent(TrustEnding, data, now));
  }
}

function by(tenant: string, metadataHash: Digest) {
  return { packId: null, version: null, actor: ACTOR, tenant, source: null, signatures: [], metadataHash };
}
