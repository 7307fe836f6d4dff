/** What a process needs to take part in events: an inbox, dead letters and, when it emits events, an outbox. */
export function processTables(schema: string, role: string, options: { emits: boolean }): string {
  return `
create table ${schema}.inbox (
  consumer text collate "C" not null,
  message_id text collate "C" not null,
  received_at timestamptz not null default now(),
  primary key (consumer, message_id)
);
grant select, insert on ${schema}.inbox to ${role};

create table ${schema}.dead_letters (
  id text collate "C" primary key,
  consumer text collate "C" not null,
  tenant text collate "C" not null,
  subject text not null,
  event_id text collate "C",
  payload_hash text collate "C" not null,
  payload bytea not null,
  reason text not null,
  attempts integer not null,
  dead_at timestamptz not null default now(),
  replayed_at timestamptz,
  unique (consumer, payload_hash)
);
create index dead_letters_tenant on ${schema}.dead_letters (tenant, id);
alter table ${schema}.dead_letters enable row level security;
alter table ${schema}.dead_letters force row level security;
create policy own on ${schema}.dead_letters using (tenant = current_setting('app.tenant', true));
grant select, insert on ${schema}.dead_letters to ${role};
grant update (replayed_at) on ${schema}.dead_letters to ${role};
${options.emits ? outbox(schema, role) : ''}`;
}

function outbox(schema: string, role: string): string {
  return `
create table ${schema}.outbox (
  id bigint generated always as identity,
  event_id text collate "C" not null,
  tenant text collate "C" not null,
  subject text not null,
  payload bytea not null,
  traceparent text,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  primary key (id, created_at)
) partition by range (created_at);
create table ${schema}.outbox_default partition of ${schema}.outbox default;
create index outbox_unsent on ${schema}.outbox (id) where sent_at is null;
create index outbox_event on ${schema}.outbox (event_id);
alter table ${schema}.outbox enable row level security;
alter table ${schema}.outbox force row level security;
create policy own on ${schema}.outbox for insert with check (tenant = current_setting('app.tenant', true));
create policy relay_reads on ${schema}.outbox for select to ${role} using (true);
create policy relay_marks on ${schema}.outbox for update to ${role} using (true);
grant select, insert on ${schema}.outbox to ${role};
grant update (sent_at) on ${schema}.outbox to ${role};`;
}
