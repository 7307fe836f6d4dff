import { MAX_JUDGED_ATTESTATIONS, ReverifyVersion, VerifyAttestation, type ReverifyVersionRequest } from '@packs/contracts';
import type { AttestationMediaType, Verdict } from '@packs/domain';
import type { BlobRef, Clock, CommandBus, InventoryReferrer, InventoryVersion } from '@packs/ports';
import { LRUCache } from 'lru-cache';

/** Verdicts kept; each is a few hundred bytes. */
const CACHE_ENTRIES = 20_000;

/** The keys to judge by. */
export type Trust = InventoryVersion['verification']['trust'];

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
    if (verification.epoch === trust.epoch) return true;
    const signatures = verification.signatures.map(signature => signature.digest);
    return this.judged([tenant, packId, manifest.digest, trust.epoch, ...signatures].join(), () =>
      this.commands.send(ReverifyVersion, {
        tenant,
        channel: verification.channel,
        packType: type,
        bundle: refOf(blobs.find(blob => blob.digest === digest)),
        // What was signed or attested may be that.
        manifest: refOf(manifest),
        signatures: verification.signatures.map(signature => ({ ...signature, mediaType: signature.mediaType as never })),
        ...attestationsOf(version),
        // The policy that accepted it: a later policy speaks of later publishes.
        policies: verification.policy ? [verification.policy] : [],
        trust,
        evaluatedAt: this.clock.now().toISOString(),
      }),
    );
  }

  /** Of a version that is admitted itself. @throws DomainError ERR_PACK_UNAVAILABLE when no verifier answers */
  async admitsReferrer(version: InventoryVersion, referrer: InventoryReferrer, trust: Trust): Promise<boolean> {
    const { verification, manifest, blobs } = referrer;
    if (!verification || verification.epoch === trust.epoch) return true;
    const mediaType = manifest.artifactType as AttestationMediaType;
    return this.judged([version.tenant, version.packId, manifest.digest, trust.epoch].join(), () =>
      this.commands.send(VerifyAttestation, {
        tenant: version.tenant,
        channel: version.verification.channel,
        packType: version.type,
        attestation: { ...refOf(blobs.find(blob => blob.mediaType === mediaType)), mediaType },
        subject: { bundle: version.digest, manifest: version.manifest.digest },
        policies: verification.policy ? [verification.policy] : [],
        trust,
        evaluatedAt: this.clock.now().toISOString(),
      }),
    );
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

/** All of them, where its policy asks for any: the verifier finds those that are meant. */
function attestationsOf({ referrers, verification: { policy } }: InventoryVersion): Pick<ReverifyVersionRequest, 'attestations'> {
  if (!policy?.require?.attestations) return {};
  const attestations = referrers
    .filter(({ kind }) => kind === 'attestation')
    .map(({ manifest, blobs }) => {
      const mediaType = manifest.artifactType as AttestationMediaType;
      return { ...refOf(blobs.find(blob => blob.mediaType === mediaType)), mediaType };
    });
  return { attestations: attestations.slice(0, MAX_JUDGED_ATTESTATIONS) };
}

function refOf(blob: BlobRef | undefined): BlobRef {
  if (!blob) throw new Error('what is to be verified is not among the blobs of its manifest');
  return { digest: blob.digest, size: blob.size, objectKey: blob.objectKey };
}
