import { judgedAttestations, ReverifyVersion, VerifyAttestation, type ReverifyVersionRequest } from '@packs/contracts';
import type { AttestationMediaType, Verdict } from '@packs/domain';
import type { BlobRef, Clock, CommandBus, InventoryReferrer, InventoryVersion } from '@packs/ports';
import { LRUCache } from 'lru-cache';

/** Verdicts kept; each is a few hundred bytes. */
const CACHE_ENTRIES = 20_000;

/** The keys to judge by, and when; absent: now. */
export type Trust = InventoryVersion['verification']['trust'] & { readonly at?: string };

/**
 * Decides what may be handed on: what was verified under the given keys, now or when it came in. Mirrors and kits must not give what the
 * registry itself would refuse.
 */
export class Admission {
  private readonly cache = new LRUCache<string, boolean>({ max: CACHE_ENTRIES });

  constructor(
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_UNAVAILABLE when no verifier answers */
  async admits(version: InventoryVersion, trust: Trust): Promise<boolean> {
    const { verification, manifest, tenant, packId, type, blobs, digest } = version;
    if (verification.withdrawnEpoch === trust.epoch) return false;
    if (verification.epoch === trust.epoch) return true;
    // The policy that accepted it: a later policy speaks of later publishes.
    const policies = verification.policy ? [verification.policy] : [];
    const judged = judgedAttestations(policies, attestationsOf(version));
    const evidence = [...verification.signatures, ...(judged.attestations ?? [])].map(({ digest }) => digest);
    return this.judged([tenant, packId, manifest.digest, trust.epoch, trust.at, ...evidence].join(), () =>
      this.commands.send(ReverifyVersion, {
        tenant,
        channel: verification.channel,
        packType: type,
        bundle: refOf(blobs.find(blob => blob.digest === digest)),
        // What was signed or attested may be that.
        manifest: refOf(manifest),
        signatures: [...verification.signatures],
        ...judged,
        policies,
        ...this.basisOf(trust),
      }),
    );
  }

  /** Of a version that is admitted itself. @throws DomainError ERR_PACK_UNAVAILABLE when no verifier answers */
  async admitsReferrer(version: InventoryVersion, referrer: InventoryReferrer, trust: Trust): Promise<boolean> {
    const { verification, manifest, blobs } = referrer;
    if (!verification || verification.epoch === trust.epoch) return true;
    const mediaType = manifest.artifactType as AttestationMediaType;
    return this.judged([version.tenant, version.packId, manifest.digest, trust.epoch, trust.at].join(), () =>
      this.commands.send(VerifyAttestation, {
        tenant: version.tenant,
        channel: version.verification.channel,
        packType: version.type,
        attestation: { ...refOf(blobs.find(blob => blob.mediaType === mediaType)), mediaType },
        subject: { bundle: version.digest, manifest: version.manifest.digest },
        policies: verification.policy ? [verification.policy] : [],
        ...this.basisOf(trust),
      }),
    );
  }

  private basisOf({ at, ...trust }: Trust): Pick<ReverifyVersionRequest, 'trust' | 'evaluatedAt'> {
    return { trust, evaluatedAt: at ?? this.clock.now().toISOString() };
  }

  private async judged(key: string, ask: () => Promise<{ readonly verdict: Verdict }>): Promise<boolean> {
    const known = this.cache.get(key);
    if (known !== undefined) return known;
    const { verdict } = await ask();
    const accepted = verdict.outcome === 'accepted';
    this.cache.set(key, accepted);
    return accepted;
  }
}

type Attestation = Parameters<typeof judgedAttestations>[1][number];

/** The newest first, as everybody asks about them. */
function attestationsOf({ referrers }: InventoryVersion): Attestation[] {
  return referrers
    .flatMap(({ kind, manifest, blobs, verification }) => {
      if (kind !== 'attestation' || !verification) return [];
      const mediaType = manifest.artifactType as AttestationMediaType;
      const { predicateType, addedAt } = verification;
      return [{ ...refOf(blobs.find(blob => blob.mediaType === mediaType)), mediaType, predicateType, addedAt }];
    })
    .toSorted((a, b) => (a.addedAt === b.addedAt ? order(a.digest, b.digest) : order(b.addedAt, a.addedAt)));
}

function order(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function refOf(blob: BlobRef | undefined): BlobRef {
  if (!blob) throw new Error('what is to be verified is not among the blobs of its manifest');
  return { digest: blob.digest, size: blob.size, objectKey: blob.objectKey };
}
