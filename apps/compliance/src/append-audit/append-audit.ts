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
    return (await this.executeAll([event])) > 0;
  }

  /**
   * One transaction for each tenant they are of.
   * @returns how many the logs did not have
   * @throws DomainError ERR_PACK_REQUEST_INVALID when any of them does not follow its contract; then none is appended
   */
  async executeAll(events: readonly EventEnvelope[]): Promise<number> {
    for (const { type, data } of events) {
      const contract = EVENTS.find(one => one.type === type);
      if (contract) this.check(contract.data, data, `the data of ${type}`);
    }
    let appended = 0;
    for (const [tenant, own] of Map.groupBy(events, event => event.data.tenant)) appended += await this.append(tenant, own);
    if (appended > 0) this.wakeUps.signal(WAKE_AUDIT);
    return appended;
  }

  private append(tenant: string, events: readonly EventEnvelope[]): Promise<number> {
    const byId = new Map(events.map(event => [event.id, event]));
    return this.unitOfWork.run(tenant, async tx => {
      const unseen = await tx.inbox.registerAll(AUDIT_CONSUMER.name, [...byId.keys()]);
      if (unseen.size === 0) return 0;
      const ids = [...byId.keys()].filter(id => unseen.has(id));
      const entries = await tx.audit.append(tenant, ids, (id, seq) => {
        const event = byId.get(id);
        if (!event) throw new Error(`the log asks for event ${id}, which it was not given`);
        const entry = toEntry(event, seq);
        return { entry, leaf: auditLeaf(entry) };
      });
      return entries.length;
    });
  }
}

function toEntry({ data, time }: EventEnvelope, seq: number): AuditEntry {
  const { id, type, tenant, packId, version, actor, source, signatures, metadataHash } = data;
  const rest = Object.fromEntries(Object.entries(data).filter(([name]) => !FIELDS.includes(name)));
  return { seq, id, type, tenant, packId, version, actor, source, signatures, metadataHash, occurredAt: time, data: rest };
}
