import { newEvent, TrustRotated, TrustUpdated, type RotateTrustReply, type RotateTrustRequest } from '@packs/contracts';
import { DomainError, sha256 } from '@packs/domain';
import { readWhole, type BlobStore, type Clock, type RegistryTx, type RegistryUnitOfWork } from '@packs/ports';
import {
  countingKeyIds,
  encodeTrustMaterial,
  keyIdOf,
  MAX_TRUST_BUNDLE_BYTES,
  readTrustBundle,
  requireSuccessor,
  type SignedTrustBundle,
  type TrustBundle,
} from '@packs/sigstore';
import type { TrustBundleFile } from './trust-bundle-file';

/** An envelope is its payload in base64. */
const MAX_FILE_BYTES = 2 * MAX_TRUST_BUNDLE_BYTES;

/**
 * Puts a signed trust bundle in force. The first one of a tenant is taken from its administrator, or has to be signed by the root keys of the file that
 * the installation was given; each further one by those of the one before.
 */
export class RotateTrust {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
    private readonly file: TrustBundleFile,
  ) {}

  /** @throws DomainError ERR_TRUST_BUNDLE_…, ERR_PACK_TRUST_INVALID */
  async execute(request: RotateTrustRequest): Promise<RotateTrustReply> {
    const { tenant, bundle, material } = request;
    return this.unitOfWork.run(tenant, async tx => {
      const signed = readTrustBundle(await readWhole(this.blobs, bundle, MAX_FILE_BYTES));
      if (sha256(encodeTrustMaterial(signed.bundle.material)) !== material.digest)
        throw new DomainError('ERR_PACK_TRUST_INVALID', 'the trust material is not that of the bundle');
      const installed = await this.file.of(tenant);
      const now = this.clock.now();
      const current = await tx.trust.state(tenant, 'update');
      const anchor = installed ? { root: installed.bundle.root } : undefined;
      requireSuccessor(signed, { tenant, now, previous: (await this.inForce(tx, tenant)) ?? anchor });
      const changes = current.digest !== material.digest;
      const moment = { epoch: changes ? current.epoch + 1 : current.epoch, now };
      const reply = await this.record(tx, request, signed, moment);
      if (changes) await this.replaceMaterial(tx, request, signed, moment);
      return reply;
    });
  }

  private async inForce(tx: RegistryTx, tenant: string): Promise<TrustBundle | undefined> {
    const known = await tx.trustBundles.current(tenant);
    return known && readTrustBundle(await readWhole(this.blobs, known.document, MAX_FILE_BYTES)).bundle;
  }

  private async record(
    tx: RegistryTx,
    { tenant, actor, source, bundle: document, material }: RotateTrustRequest,
    { bundle, digest }: SignedTrustBundle,
    { epoch, now }: Moment,
  ): Promise<RotateTrustReply> {
    const { version, validUntil, root } = bundle;
    const importedAt = now.toISOString();
    await tx.trustBundles.add(tenant, { version, digest, document, material: material.digest, validUntil, importedAt, importedBy: actor });
    const data = { packId: null, version: null, actor, tenant, source, signatures: [], metadataHash: digest };
    await tx.trustWatches.wake(tenant, importedAt);
    const state = { bundleVersion: version, bundleDigest: digest, material: material.digest, epoch, validUntil };
    const rootKeyIds = root.keys.map(keyIdOf);
    await tx.outbox.append(newEvent(TrustRotated, { ...data, ...state, rootKeyIds, threshold: root.threshold }, now));
    return { version, digest, epoch, importedAt, importedBy: actor };
  }

  private async replaceMaterial(
    tx: RegistryTx,
    { tenant, actor, source, material }: RotateTrustRequest,
    { bundle }: SignedTrustBundle,
    { epoch, now }: Moment,
  ): Promise<void> {
    await tx.trust.setMaterial(tenant, epoch, material, now.toISOString());
    const { digest } = material;
    const data = { packId: null, version: null, actor, tenant, source, signatures: [], metadataHash: digest };
    await tx.outbox.append(newEvent(TrustUpdated, { ...data, epoch, digest, keyIds: countingKeyIds(bundle.material, now) }, now));
  }
}

interface Moment {
  readonly epoch: number;
  readonly now: Date;
}
