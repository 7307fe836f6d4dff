import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tenants that were sealed, and what every change of content asks first. */
export class Seal1700000000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(ROW_SECURITY);
    await runner.query(HOLD);
    await runner.query(GRANTS);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

const TABLES = `
create table registry.seals (
  tenant text collate "C" primary key,
  sealed boolean not null,
  since timestamptz not null,
  changed_by text not null,
  reason text not null,
  -- {requestedBy, requestedAt, expiresAt, reason, approvals: [{by, at}]}
  unseal_request jsonb,
  check (sealed or unseal_request is null)
);`;

const ROW_SECURITY = `
alter table registry.seals enable row level security;
alter table registry.seals force row level security;
create policy own on registry.seals using (tenant = registry.current_tenant());`;

/**
 * An advisory lock in place of FOR SHARE of a row: it also holds a seal that nobody set yet, needs no right to write, and leaves a
 * transaction that only reads without anything to flush. Each statement of a volatile function sees what was committed before it began,
 * so the row is read as of after the wait.
 */
const HOLD = `
create function registry.hold_seal() returns boolean language plpgsql volatile set search_path = pg_catalog as $$
begin
  perform pg_advisory_xact_lock_shared(hashtext('registry.seals'), hashtext(registry.current_tenant()));
  return exists (select from registry.seals s where s.tenant = registry.current_tenant() and s.sealed);
end $$;
create function registry.lock_seal() returns void language sql volatile set search_path = pg_catalog as $$
  select pg_advisory_xact_lock(hashtext('registry.seals'), hashtext(registry.current_tenant()))
$$;`;

const GRANTS = `
revoke execute on function registry.hold_seal(), registry.lock_seal() from public;
grant execute on function registry.hold_seal() to packs_publisher, packs_mirror;
grant execute on function registry.lock_seal() to packs_publisher;
grant select, insert on registry.seals to packs_publisher;
grant update (sealed, since, changed_by, reason, unseal_request) on registry.seals to packs_publisher;
grant select on registry.seals to packs_gateway, packs_mirror;`;
