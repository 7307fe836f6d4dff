import { readFile } from 'node:fs/promises';
import { DomainError } from '@packs/domain';
import { ANY_TENANT, readTrustBundle, requireSuccessor, type SignedTrustBundle } from '@packs/sigstore';
import type { Clock } from '@packs/ports';

/** The trust bundle the installation was given as a file, if any: read anew each time, since it is replaced while we run. */
export class TrustBundleFile {
  constructor(
    private readonly path: string | undefined,
    private readonly clock: Clock,
  ) {}

  /**
   * Null without a file. Its own root keys have to have signed it; whoever may write the file says whose keys those are.
   * @throws DomainError ERR_TRUST_BUNDLE_…; Error when it cannot be read
   */
  async read(): Promise<SignedTrustBundle | null> {
    if (this.path === undefined) return null;
    const signed = readTrustBundle(await readFile(this.path));
    const { tenant, validFrom, validUntil } = signed.bundle;
    const now = this.clock.now().toISOString();
    // What is over is still what was to be trusted: that it ended is told as an ending.
    const within = now > validUntil ? validUntil : now < validFrom ? validFrom : now;
    requireSuccessor(signed, { tenant, now: new Date(within) });
    return signed;
  }

  /** The one that speaks for this tenant. @throws DomainError ERR_PACK_UNAVAILABLE when nobody can tell */
  async of(tenant: string): Promise<SignedTrustBundle | null> {
    const signed = await this.read().catch((cause: unknown) => {
      throw new DomainError('ERR_PACK_UNAVAILABLE', 'the trust bundle file of the installation cannot be read', { retry: 'later', cause });
    });
    return signed && (signed.bundle.tenant === ANY_TENANT || signed.bundle.tenant === tenant) ? signed : null;
  }
}
