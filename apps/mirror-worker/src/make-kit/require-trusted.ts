import { ReverifyVersion } from '@packs/contracts';
import type { Digest } from '@packs/domain';
import type { BlobRef, Clock, CommandBus, InventoryVersion } from '@packs/ports';

/** The keys in force at some point of the log. */
export interface LoggedTrust {
  readonly epoch: number;
  readonly digest: Digest;
  readonly material: BlobRef | null;
}

/** A kit hands on what the registry would have served then, and nothing it would have withdrawn. */
export class RequireTrusted {
  constructor(
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {}

  /** @returns whether the version's signatures satisfied the policy that let it in, under those keys. @throws DomainError ERR_PACK_UNAVAILABLE */
  async execute({ tenant, type, blobs, digest, verification }: InventoryVersion, trust: LoggedTrust): Promise<boolean> {
    if (verification.epoch === trust.epoch) return true;
    const bundle = blobs.find(blob => blob.digest === digest);
    if (!bundle) throw new Error(`version without its bundle ${digest}`);
    const { verdict } = await this.commands.send(ReverifyVersion, {
      tenant,
      channel: verification.channel,
      packType: type,
      bundle: { digest: bundle.digest, size: bundle.size, objectKey: bundle.objectKey },
      signatures: verification.signatures.map(signature => ({ ...signature, mediaType: signature.mediaType as never })),
      policies: verification.policy ? [verification.policy] : [],
      trust,
      evaluatedAt: this.clock.now().toISOString(),
    });
    return verdict.outcome === 'accepted';
  }
}
