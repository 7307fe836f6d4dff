import {
  newEvent,
  PackAttestationAdded,
  PackVersionArchived,
  PackVersionDeprecated,
  PackVersionPromoted,
  PackVersionPublished,
  type ImportKitRequest,
} from '@packs/contracts';
import { DomainError, scannedBy, type Digest } from '@packs/domain';
import type { ExistingVersion, RegistryTx } from '@packs/ports';
import { checkVisibility } from '../publish-pack/accept-version';
import type { JudgedVersion } from './judge-kit';
import { recordRotation } from '../rotate-signature/record-rotation';
import type { BroughtSignatures } from './judge-signatures';
import type { KitContents } from './kit-contents';
import { requireSame } from './missing-parts';

/** The transaction of an import, and in whose name it is done. */
export interface Committing {
  readonly tx: RegistryTx;
  readonly request: ImportKitRequest;
  readonly contents: KitContents;
  readonly shareWith: readonly string[];
  readonly now: Date;
}

/**
 * Writes one version of a kit, or what is new about one that is there, each change with the event it would have had here. The record keeps who
 * published it and when; the events say who imported it.
 * @returns whether the version is new
 */
export async function commitVersion(at: Committing, judged: JudgedVersion): Promise<boolean> {
  const { tx, request } = at;
  const { packId, version, type } = judged.version;
  const fixedType = await tx.packs.lockPack(request.tenant, packId, type);
  const existing = await tx.packs.findVersion(request.tenant, packId, version);
  if (existing) requireSame(existing, judged.version);
  else if (fixedType !== type)
    throw new DomainError('ERR_PACK_TYPE_CHANGED', `${packId} is a ${fixedType} pack here and a ${type} pack in the kit`);
  if (!existing) {
    await endClaim(at, judged);
    await publish(at, judged);
  }
  if (existing && judged.signatures) await addSignatures(at, judged, { existing, brought: judged.signatures });
  for (const promotion of judged.promotions) await promote(at, judged, promotion);
  for (const attested of judged.attestations) await attest(at, judged, attested);
  await advance(at, judged, existing);
  return !existing;
}

/** A number that is claimed by the same artifact is had by it now. @throws DomainError ERR_KIT_CONFLICT when other content has it */
async function endClaim({ tx, request: { tenant } }: Committing, { version: { packId, version, manifest } }: JudgedVersion): Promise<void> {
  const pending = await tx.pendingVersions.find(tenant, packId, version);
  if (!pending) return;
  if (pending.version !== version || pending.manifest.digest !== manifest.digest) {
    throw new DomainError(
      'ERR_KIT_CONFLICT',
      `${packId} ${pending.version} waits here for signatures of other content until ${pending.expiresAt}`,
      {
        details: { version: pending.version, manifestDigest: pending.manifest.digest },
        errors: [{ field: `${packId}@${version}`, message: 'is claimed by other content' }],
      },
    );
  }
  await tx.pendingVersions.complete(tenant, packId, version);
}

function about({ request }: Committing, { version }: JudgedVersion) {
  return {
    packId: version.packId,
    version: version.version,
    actor: request.actor,
    tenant: request.tenant,
    source: request.source,
    signatures: version.signatures.map(({ document }) => document.digest),
    metadataHash: version.config.digest,
    digest: version.digest,
    manifestDigest: version.manifest.digest,
  };
}

async function publish(at: Committing, judged: JudgedVersion): Promise<void> {
  const { tx, request, contents, now } = at;
  const { version, manifest, verified } = judged;
  // It was there when the verdicts were asked for, and nothing published goes away.
  if (!verified) throw new DomainError('ERR_PACK_CONFLICT', `${version.packId} ${version.version} is gone`, { retry: 'later' });
  checkVisibility(request.tenant, manifest, at.shareWith);
  const signatures = [];
  for (const { manifest: referrer, document } of version.signatures) {
    const identity = verified.verdict.identities.find(({ signature }) => signature === document.digest) ?? null;
    signatures.push({ blob: contents.refOf(document), manifest: await contents.encoded(referrer), identity });
  }
  const { channelMoved } = await tx.packs.addVersion({
    tenant: request.tenant,
    manifest,
    type: version.type,
    channel: version.channel,
    bundle: contents.ref(version.bundle),
    config: contents.stored(version.config),
    ociManifest: await contents.encoded(version.manifest),
    signatures,
    verdict: verified.verdict,
    verdictHash: verified.verdictHash,
    question: verified.question,
    scanReports: verified.scanReports,
    publishedAt: version.publishedAt,
    actor: version.publishedBy,
    source: version.source,
    blobs: [],
  });
  const state = {
    size: version.bundle.size,
    packType: version.type,
    channel: version.channel,
    channelMoved,
    tenantVisibility: [...(manifest.metadata.tenantVisibility ?? [])],
    verdictHash: verified.verdictHash,
    verdictOutcome: verified.verdict.outcome,
    ...scannedBy(verified.verdict),
    publishedAt: version.publishedAt,
  };
  await tx.outbox.append(newEvent(PackVersionPublished, { ...about(at, judged), ...state }, now));
}

/** @throws DomainError ERR_PACK_CONFLICT when it has other signatures than were judged */
async function addSignatures(
  { tx, request, contents, now }: Committing,
  { version }: JudgedVersion,
  { existing, brought }: { readonly existing: ExistingVersion; readonly brought: BroughtSignatures },
): Promise<void> {
  const { tenant, actor, source, kit } = request;
  const { rotating, plan, verified } = brought;
  const key = { tenant, packId: version.packId, version: version.version };
  const standing = await tx.standings.lock(key);
  if (standing?.signatures.join() !== rotating.version.signatures.map(({ digest }) => digest).join()) {
    throw new DomainError('ERR_PACK_CONFLICT', `the signatures of ${key.packId} ${key.version} were changed meanwhile`, { retry: 'later' });
  }
  const signatures = [];
  for (const blob of plan.added) {
    const referrer = version.signatures.find(({ document }) => document.digest === blob.digest)?.manifest;
    if (!referrer) throw new DomainError('ERR_KIT_BLOB_MISSING', `the signature ${blob.digest} is in no manifest of the kit`);
    const identity = verified.verdict.identities.find(({ signature }) => signature === blob.digest) ?? null;
    signatures.push({ blob, manifest: await contents.encoded(referrer), identity });
  }
  const rotation = { ...key, actor, source, reason: `kit ${kit.digest}`, existing, standing, plan, verified, signatures, blobs: [] };
  await recordRotation(tx, { ...rotation, epoch: verified.verdict.trust.epoch }, now);
}

async function promote(at: Committing, judged: JudgedVersion, { channel, verified }: JudgedVersion['promotions'][number]): Promise<void> {
  const { tx, request, now } = at;
  const { packId, version } = judged.version;
  const { verdict, verdictHash, question } = verified;
  const promotedAt = now.toISOString();
  await tx.packs.addVerdict(request.tenant, verdict, verdictHash, question);
  const move = {
    tenant: request.tenant,
    packId,
    channel,
    version,
    at: promotedAt,
    actor: request.actor,
    reason: 'promotion' as const,
    verdictHash,
  };
  const { moved, previous } = await tx.channels.move(move);
  if (!moved) return;
  await tx.outbox.append(
    newEvent(PackVersionPromoted, { ...about(at, judged), channel, from: null, previousVersion: previous, verdictHash, promotedAt }, now),
  );
}

async function attest(
  at: Committing,
  judged: JudgedVersion,
  { attestation, verified }: JudgedVersion['attestations'][number],
): Promise<void> {
  const { tx, request, contents, now } = at;
  const { packId, version, manifest } = judged.version;
  const { document, predicateType, addedAt, addedBy } = attestation;
  if (await tx.attestations.find(request.tenant, packId, version, document.digest)) return;
  const { verdict, verdictHash, question } = verified;
  const signers = verdict.identities.map(({ name, keyId, scheme }) => ({ name, keyId, scheme }));
  await tx.attestations.add({
    tenant: request.tenant,
    packId,
    version,
    subject: manifest.digest,
    document: contents.refOf(document),
    predicateType,
    referrer: await contents.encoded(attestation.manifest),
    signers,
    verdict,
    verdictHash,
    question,
    addedAt,
    actor: addedBy,
    source: request.source,
    blobs: [],
  });
  const signatures: Digest[] = [document.digest];
  const { mediaType, size } = document;
  const state = {
    attestation: document.digest,
    mediaType,
    size,
    referrer: attestation.manifest.digest,
    predicateType,
    verdictHash,
    addedAt,
  };
  const named = signers.map(({ name, keyId }) => ({ name, keyId }));
  await tx.outbox.append(newEvent(PackAttestationAdded, { ...about(at, judged), signatures, ...state, signers: named }, now));
}

/** A version only goes forward: what is deprecated or archived here stays so whatever the kit says. */
async function advance(at: Committing, judged: JudgedVersion, existing: ExistingVersion | undefined): Promise<void> {
  const { tx, request, now } = at;
  const { packId, version, deprecation, archival } = judged.version;
  if (deprecation && !existing?.deprecatedAt) {
    const { at: deprecatedAt, by, reason, replacement } = deprecation;
    await tx.packs.deprecate(request.tenant, packId, version, { at: deprecatedAt, actor: by, reason, replacement });
    await tx.outbox.append(newEvent(PackVersionDeprecated, { ...about(at, judged), reason, replacement, deprecatedAt }, now));
  }
  if (archival && !existing?.archivedAt) {
    const { at: archivedAt, by, reason } = archival;
    const replacement = deprecation?.replacement ?? null;
    await tx.packs.archive(request.tenant, packId, version, { at: archivedAt, actor: by, reason, replacement });
    const deprecatedAt = existing?.deprecatedAt ?? deprecation?.at ?? archivedAt;
    await tx.outbox.append(newEvent(PackVersionArchived, { ...about(at, judged), reason, replacement, deprecatedAt, archivedAt }, now));
  }
}
