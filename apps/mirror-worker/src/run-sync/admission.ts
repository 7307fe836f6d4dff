import { ReverifyVersion, type ReverifyVersionReply } from '@packs/contracts';
import type { Clock, CommandBus, InventoryVersion } from '@packs/ports';
import { LRUCache } from 'lru-cache';

/** Verdicts kept; each is a few hundred bytes. */
const CACHE_ENTRIES = 20_000;

/**
 * Decides whether a version may be handed on: verified under the current trust epoch, now or when it was published. A mirror must
 * not give what the registry itself would refuse.
 */
export class Admission {
  private readonly cache = new LRUCache<string, boolean>({ max: CACHE_ENTRIES });

  constructor(
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_UNAVAILABLE when no verifier answers */
  async admits(version: InventoryVersion): Promise<boolean> {
    const { verification, manifest, tenant, packId } = version;
    if (verification.epoch === verification.trust.epoch) return true;
    const key = `${tenant}/${packId}/${manifest.digest}@${verification.trust.epoch}`;
    const known = this.cache.get(key);
    if (known !== undefined) return known;
    const { verdict } = await this.ask(version);
    const accepted = verdict.outcome === 'accepted';
    this.cache.set(key, accepted);
    return accepted;
  }

  private ask({ tenant, type, blobs, digest, verification }: InventoryVersion): Promise<ReverifyVersionReply> {
    const bundle = blobs.find(blob => blob.digest === digest);
    if (!bundle) throw new Error(`version without its bundle ${digest}`);
    return this.commands.send(ReverifyVersion, {
      tenant,
      channel: verification.channel,
      packType: type,
      bundle: { digest: bundle.digest, size: bundle.size, objectKey: bundle.objectKey },
      signatures: verification.signatures.map(signature => ({ ...signature, mediaType: signature.mediaType as never })),
      // The policy that accepted it: a later policy speaks of later publishes.
      policies: verification.policy ? [verification.policy] : [],
      trust: verification.trust,
      evaluatedAt: this.clock.now().toISOString(),
    });
  }
}
