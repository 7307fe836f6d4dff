import { AUDIT_CONSUMER, EVENTS, WAKE_AUDIT, type EventEnvelope } from '@packs/contracts';
import { auditLeaf, type AuditEntry } from '@packs/domain';
import type { AuditUnitOfWork, WakeUps } from '@packs/ports';

/** Members of an event's data that the entry holds as fields of its own. */
const FIELDS = ['id', 'type', 'packId', 'version', 'actor', 'tenant', 'source', 'signatures', 'metadataHash'];

/** Appends each event once to its tenant's audit log, in the order in which it arrives. */
export class AppendAudit {
  constructor(
    private readonly unitOfWork: AuditUnitOfWork,
    private readonly wakeUps: WakeUps,
    private readonly check: (schema: (typeof EVENTS)[number]['data'], data: unknown, what: string) => unknown,
  ) {}

  /**
   * @returns false when the log has the event
   * @throws DomainError ERR_PACK_REQUEST_INVALID for an event that does not follow its contract
   */
  async execute(event: EventEnvelope): Promise<boolean> {
    const contract = EVENTS.find(one => one.type === event.type);
    if (contract) this.check(contract.data, event.data, `the data of ${event.type}`);
    const appended = await this.unitOfWork.run(event.data.tenant, async tx => {
      if (!(await tx.inbox.register(AUDIT_CONSUMER.name, event.id))) return false;
      const entry = await tx.audit.append(event.data.tenant, event.id, seq => {
        const built = toEntry(event, seq);
        return { entry: built, leaf: auditLeaf(built) };
      });
      return entry !== undefined;
    });
    if (appended) this.wakeUps.signal(WAKE_AUDIT);
    return appended;
  }
}

function toEntry({ data, time }: EventEnvelope, seq: number): AuditEntry {
  const { id, type, tenant, packId, version, actor, source, signatures, metadataHash } = data;
  const rest = Object.fromEntries(Object.entries(data).filter(([name]) => !FIELDS.includes(name)));
  return { seq, id, type, tenant, packId, version, actor, source, signatures, metadataHash, occurredAt: time, data: rest };
}
