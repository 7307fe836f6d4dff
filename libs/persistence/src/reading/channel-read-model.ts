import type { ChannelView, MoveReason, PackChannels, PackChannelsQuery } from '@packs/contracts';
import { BUILT_IN_CHANNELS } from '@packs/domain';
import { ChannelReadModel, type Viewpoint } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { PostgresChannelStore } from '../registry/channel-store';
import { readAs } from '../transaction';

interface HeadRow {
  channel: string;
  version: string;
  moved_at: Date;
  moved_by: string;
}

interface MoveRow {
  seq: string;
  channel: string;
  from_version: string | null;
  to_version: string;
  moved_at: Date;
  moved_by: string;
  reason: MoveReason;
  verdict_hash: string;
}

export class PostgresChannelReadModel extends ChannelReadModel {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async channels(tenant: string): Promise<ChannelView[]> {
    const custom = await readAs(this.dataSource, tenant, sql => new PostgresChannelStore(sql).custom(tenant));
    return [
      ...BUILT_IN_CHANNELS.map(channel => ({ ...channel, builtIn: true, createdAt: null, createdBy: null })),
      ...custom.map(channel => ({ ...channel, builtIn: false })),
    ];
  }

  ofPack(at: Viewpoint, packId: string, query: PackChannelsQuery): Promise<PackChannels | undefined> {
    const { limit, cursor, channel = null } = query;
    return readAs(this.dataSource, at.tenant, async sql => {
      const packs = await sql.query(`select 1 from registry.packs where tenant = $1 and pack_id = $2`, [at.namespace, packId]);
      if (packs.length === 0) return undefined;
      const heads = await sql.query<HeadRow>(
        `select channel, version, moved_at, moved_by from registry.channel_heads
         where tenant = $1 and pack_id = $2 and ($3::text is null or channel = $3) order by channel`,
        [at.namespace, packId, channel],
      );
      const moves = await sql.query<MoveRow>(
        `select seq, channel, from_version, to_version, moved_at, moved_by, reason, verdict_hash from registry.channel_moves
         where tenant = $1 and pack_id = $2 ${channel === null ? 'and $3::text is null' : 'and channel = $3'} and ($4::bigint is null or seq < $4)
         order by seq desc limit $5`,
        [at.namespace, packId, channel, cursor ?? null, limit + 1],
      );
      const page = moves.slice(0, limit);
      return {
        channels: heads.map(row => ({
          channel: row.channel,
          version: row.version,
          movedAt: row.moved_at.toISOString(),
          movedBy: row.moved_by,
        })),
        moves: page.map(toMove),
        next: moves.length > limit ? (page.at(-1)?.seq ?? null) : null,
      };
    });
  }
}

function toMove(row: MoveRow): PackChannels['moves'][number] {
  return {
    seq: Number(row.seq),
    channel: row.channel,
    fromVersion: row.from_version,
    toVersion: row.to_version,
    movedAt: row.moved_at.toISOString(),
    movedBy: row.moved_by,
    reason: row.reason,
    verdict: row.verdict_hash,
  };
}
