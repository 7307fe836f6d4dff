import {
  CarryReferrers as CarryReferrersCommand,
  type CarryReferrersReply,
  type CarryReferrersRequest,
  type NotCarried,
} from '@packs/contracts';
import { DomainError, requireUnsealed } from '@packs/domain';
import type { SealOf } from '@packs/oci-layout';
import type { RemoteRegistries } from '@packs/ports';
import { parseArtifactReference } from '@packs/registry-client';
import type { BringReferrers } from '../run-pull/bring-referrers';
import { PullBudget } from '../run-pull/pull-place';

/** Refusals that are named. */
const NAMED = 32;
const REASON_MAX = 500;

/** Brings what refers to a pack that was published by reference. The version is there, whatever becomes of this. */
export class CarryReferrers {
  constructor(
    private readonly sources: RemoteRegistries,
    private readonly sealOf: SealOf,
    private readonly bringReferrers: BringReferrers,
    private readonly maxBytes: number,
  ) {}

  /** @throws DomainError ERR_PACK_SEALED, ERR_PACK_REQUEST_INVALID, ERR_REGISTRY_NOT_ALLOWED */
  async execute({ tenant, actor, source, reference, packId, subject, carried }: CarryReferrersRequest): Promise<CarryReferrersReply> {
    requireUnsealed(await this.sealOf(tenant));
    const { host, repository } = parseArtifactReference(reference);
    const notCarried: NotCarried[] = [];
    const refuse = (what: string, { code, message }: DomainError): void => {
      if (notCarried.length < NAMED) notCarried.push({ what, code, reason: message.slice(0, REASON_MAX) });
    };
    // Nobody waits for longer.
    const signal = AbortSignal.timeout(CarryReferrersCommand.timeoutMs);
    const place = {
      ...{ tenant, actor, source, repository: packId, from: this.sources.repository(host, repository), tags: undefined, refuse },
      ...{ key: subject, budget: new PullBudget({ maxVersions: 1, maxBytes: this.maxBytes }), signal },
    };
    try {
      await this.bringReferrers.execute(place, subject, new Set(carried));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      refuse('*', error);
    }
    return { notCarried };
  }
}
