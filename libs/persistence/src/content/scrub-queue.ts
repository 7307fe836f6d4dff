import { isNativeError } from 'node:util/types';
import { SCRUB_NAMED, type Scrub } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { LeaseLost, ScrubQueue, type HeldScrub, type ScrubProgress, type StoredBlob } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { BLOB_COLUMNS, toStoredBlob, type BlobRow } from '../content-catalog';
import { inTransaction, type Sql, type SqlValue } from '../transaction';

interface ScrubRow {
  id: string;
  state: Scrub['state'];
  requested_by: string;
  requested_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  since: Date | null;
  sample: number;
  examined: string;
  bytes: string;
  damaged: string;
  unreadable: string;
  digests: Scrub['digests'];
}

const COLUMNS = `id, state, requested_by, requested_at, started_at, finished_at, since, sample, examined, bytes, damaged, unreadable, digests`;
const HELD = `id = $1 and lease_owner = $2 and state = 'running'`;
const UNIQUE_VIOLATION = '23505';

/** Which blobs are read follows from their digests alone, so that a scrub that is resumed goes on with the same. */
const NEXT = `
select ${BLOB_COLUMNS} from content.blobs b, content.scrubs s
where s.id = $1 and b.digest > $2 and (s.since is null or b.created_at >= s.since)
  and (hashtext(b.digest)::bigint + 2147483648) % s.sample = s.remainder
order by b.digest limit $3`;

export class PostgresScrubQueue extends ScrubQueue {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async add({ id, requestedBy, since, sample }: Pick<Scrub, 'id' | 'requestedBy' | 'since' | 'sample'>): Promise<Scrub> {
    try {
      const [row] = await this.query<ScrubRow>(
        `insert into content.scrubs (id, requested_by, since, sample, remainder)
         values ($1, $2, $3, $4::int, floor(random() * $4::int)) returning ${COLUMNS}`,
        [id, requestedBy, since, sample],
      );
      if (row) return toScrub(row);
    } catch (error) {
      if (!isNativeError(error) || !('code' in error) || error.code !== UNIQUE_VIOLATION) throw error;
    }
    const [other] = await this.query<{ id: string }>(`select id from content.scrubs where state in ('queued', 'running')`);
    throw new DomainError('ERR_PACK_CONFLICT', `scrub ${other?.id ?? ''} has not ended`, { details: { id: other?.id ?? null } });
  }

  async addDue(id: string, requestedBy: string, intervalSeconds: number): Promise<boolean> {
    const added = await this.query(
      `insert into content.scrubs (id, requested_by, sample, remainder) select $1, $2, 1, 0
       where not exists (select 1 from content.scrubs where state in ('queued', 'running') or requested_at > now() - $3 * interval '1 s')
       on conflict do nothing returning id`,
      [id, requestedBy, intervalSeconds],
    );
    return added.length > 0;
  }

  async find(id: string): Promise<Scrub | undefined> {
    const [row] = await this.query<ScrubRow>(`select ${COLUMNS} from content.scrubs where id = $1`, [id]);
    return row && toScrub(row);
  }

  async cancel(id: string): Promise<Scrub | undefined> {
    await this.query(
      `update content.scrubs set state = 'cancelled', finished_at = now(), lease_owner = null, lease_until = null
       where id = $1 and state in ('queued', 'running')`,
      [id],
    );
    return this.find(id);
  }

  async claim(owner: string, leaseMs: number): Promise<HeldScrub | undefined> {
    const [row] = await this.query<{ id: string; cursor: string }>(
      `update content.scrubs set state = 'running', lease_owner = $1, lease_until = now() + $2 * interval '1 ms', started_at = coalesce(started_at, now())
       where id = (select id from content.scrubs where state = 'queued' or state = 'running' and lease_until <= now()
                   order by requested_at limit 1 for update skip locked)
       returning id, cursor`,
      [owner, leaseMs],
    );
    return row && { id: row.id, owner, cursor: row.cursor };
  }

  async next({ id }: HeldScrub, cursor: string, limit: number): Promise<StoredBlob[]> {
    return (await this.query<BlobRow>(NEXT, [id, cursor, limit])).map(toStoredBlob);
  }

  renew(scrub: HeldScrub, leaseMs: number): Promise<void> {
    return this.change(scrub, `lease_until = now() + $3 * interval '1 ms'`, [leaseMs]);
  }

  progress(scrub: HeldScrub, { cursor, examined, bytes, damaged, unreadable, digests }: ScrubProgress): Promise<void> {
    return this.change(
      scrub,
      `cursor = $3, examined = examined + $4, bytes = bytes + $5, damaged = damaged + $6, unreadable = unreadable + $7,
       digests = (digests || $8::text[])[1:${SCRUB_NAMED}]`,
      [cursor, examined, bytes, damaged, unreadable, digests],
    );
  }

  complete(scrub: HeldScrub): Promise<void> {
    return this.change(scrub, `state = 'completed', finished_at = now(), lease_owner = null, lease_until = null`, []);
  }

  release(scrub: HeldScrub, delayMs: number): Promise<void> {
    return this.change(scrub, `lease_owner = null, lease_until = now() + $3 * interval '1 ms'`, [delayMs]);
  }

  private async change(scrub: HeldScrub, set: string, values: readonly SqlValue[]): Promise<void> {
    const changed = await this.query(`update content.scrubs set ${set} where ${HELD} returning id`, [scrub.id, scrub.owner, ...values]);
    if (changed.length === 0) throw new LeaseLost(scrub);
  }

  private query<Row>(text: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return inTransaction(this.dataSource, null, (sql: Sql) => sql.query<Row>(text, values));
  }
}

function toScrub(row: ScrubRow): Scrub {
  return {
    id: row.id,
    state: row.state,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    since: row.since?.toISOString() ?? null,
    sample: row.sample,
    examined: Number(row.examined),
    bytes: Number(row.bytes),
    damaged: Number(row.damaged),
    unreadable: Number(row.unreadable),
    digests: row.digests,
  };
}
