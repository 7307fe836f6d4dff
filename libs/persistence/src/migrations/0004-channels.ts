import { BUILT_IN_CHANNELS } from '@packs/domain';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Channels as data, the history of their heads, and the last state of a version's lifecycle. */
export class Channels1700000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(EARLIER_HEADS);
    await runner.query(ROW_SECURITY);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const TABLES = `
create table registry.channels (
  tenant text collate "C" not null,
  name text collate "C" not null check (name not in (${BUILT_IN_CHANNELS.map(({ name }) => `'${name}'`).join(', ')})),
  description text not null,
  created_at timestamptz not null,
  created_by text not null,
  primary key (tenant, name)
);
create table registry.channel_moves (
  tenant text collate "C" not null,
  pack_id text collate "C" not null,
  -- One order over all channels of a pack, without gaps.
  seq bigint not null check (seq > 0),
  channel text collate "C" not null,
  from_version text collate "C",
  to_version text collate "C" not null,
  moved_at timestamptz not null,
  moved_by text not null,
  reason text not null check (reason in ('publish', 'promotion')),
  -- Why the version was let into the channel.
  verdict_hash text collate "C" not null,
  primary key (tenant, pack_id, seq),
  foreign key (tenant, pack_id, from_version) references registry.pack_versions on delete restrict,
  foreign key (tenant, pack_id, to_version) references registry.pack_versions on delete restrict,
  foreign key (tenant, verdict_hash) references registry.verdicts on delete restrict
);
create index channel_moves_channel on registry.channel_moves (tenant, pack_id, channel, seq);
alter table registry.pack_versions
  add column archived_at timestamptz,
  add column archived_by text,
  add column archive_reason text,
  -- What is archived is deprecated as well: "not deprecated" alone means active.
  add constraint archived_is_deprecated check (archived_at is null or deprecated_at is not null);`;

/** Heads from before there was a history are its first moves. The owner sees them only while row-level security is not forced. */
const EARLIER_HEADS = `
alter table registry.channel_heads no force row level security;
alter table registry.pack_versions no force row level security;
insert into registry.channels (tenant, name, description, created_at, created_by)
  select distinct on (tenant, channel) tenant, channel, '', published_at, published_by from registry.pack_versions
  where channel not in (${BUILT_IN_CHANNELS.map(({ name }) => `'${name}'`).join(', ')}) order by tenant, channel, published_at;
insert into registry.channel_moves (tenant, pack_id, seq, channel, from_version, to_version, moved_at, moved_by, reason, verdict_hash)
  select h.tenant, h.pack_id, row_number() over (partition by h.tenant, h.pack_id order by h.moved_at, h.channel),
    h.channel, null, h.version, h.moved_at, h.moved_by, 'publish', v.verdict_hash
  from registry.channel_heads h join registry.pack_versions v using (tenant, pack_id, version);
alter table registry.channel_heads force row level security;
alter table registry.pack_versions force row level security;`;

/** A head is seen by those who see its version; the history names versions that others may not see, so it is its owner's alone. */
const ROW_SECURITY = `
alter table registry.channels enable row level security;
alter table registry.channels force row level security;
create policy own on registry.channels using (tenant = registry.current_tenant());

alter table registry.channel_moves enable row level security;
alter table registry.channel_moves force row level security;
create policy own on registry.channel_moves using (tenant = registry.current_tenant());`;

const GRANTS = `
grant select, insert on registry.channels, registry.channel_moves to packs_publisher;
grant update (description) on registry.channels to packs_publisher;
grant update (archived_at, archived_by, archive_reason) on registry.pack_versions to packs_publisher;
grant select on registry.channels, registry.channel_moves to packs_gateway;
grant select on registry.channel_moves to packs_mirror, packs_parity;`;
