import type { ExportKitReply, ExportKitRequest, Selection } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { AuditReadModel, KitQueue, StatementSigner } from '@packs/ports';

/** Queues the making of a kit. */
export class ExportKit {
  constructor(
    private readonly queue: KitQueue,
    private readonly audit: AuditReadModel,
    private readonly signer: StatementSigner,
    private readonly queued: () => void,
  ) {}

  /** @throws DomainError ERR_KIT_NO_KEY, ERR_PACK_REQUEST_INVALID for a `seq` that lies ahead */
  async execute({ id, selection, seq, ...origin }: ExportKitRequest): Promise<ExportKitReply> {
    this.signer.keyId();
    const head = seq === null ? 0 : await this.audit.head(origin.tenant);
    if (seq !== null && seq > head) {
      throw new DomainError('ERR_PACK_REQUEST_INVALID', `seq ${seq} lies ahead: the audit log ends at ${head}`, {
        errors: [{ field: 'seq', message: `is more than ${head}` }],
      });
    }
    await this.queue.add(origin, id, { kind: 'export', request: { selection: normal(selection), seq } });
    this.queued();
    return { id };
  }
}

/** One selection, one text: lists that mean the same are the same. */
function normal(selection: Selection): Selection {
  return Object.fromEntries(Object.entries(selection).map(([name, list]) => [name, [...new Set<string>(list)].toSorted()]));
}
