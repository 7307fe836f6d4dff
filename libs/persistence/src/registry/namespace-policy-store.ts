import { NamespacePolicies, NamespacePolicyStore, type NamespacePolicy } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { inTransaction, type Sql } from '../transaction';

export class PostgresNamespacePolicyStore extends NamespacePolicyStore {
  constructor(private readonly sql: Sql) {
    super();
  }

  policy(tenant: string): Promise<NamespacePolicy> {
    return readPolicy(this.sql, tenant);
  }

  async put(tenant: string, policy: NamespacePolicy, note: { readonly at: string; readonly actor: string }): Promise<void> {
    await this.sql.query(
      `insert into registry.namespace_policies (tenant, public_read, pull_by_digest_only, updated_at, updated_by) values ($1, $2, $3, $4, $5)
       on conflict (tenant) do update set public_read = excluded.public_read, pull_by_digest_only = excluded.pull_by_digest_only,
         updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
      [tenant, policy.publicRead, policy.pullByDigestOnly, note.at, note.actor],
    );
  }
}

export class PostgresNamespacePolicies extends NamespacePolicies {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  /** As nobody: a row shows itself as soon as it says anything. */
  of(namespace: string): Promise<NamespacePolicy> {
    return inTransaction(this.dataSource, null, sql => readPolicy(sql, namespace), 'read only');
  }

  async publicAmong(namespaces: readonly string[]): Promise<ReadonlySet<string>> {
    const text = `select tenant from registry.namespace_policies where tenant = any($1) and public_read`;
    const rows = await inTransaction(this.dataSource, null, sql => sql.query<{ tenant: string }>(text, [namespaces]), 'read only');
    return new Set(rows.map(row => row.tenant));
  }
}

async function readPolicy(sql: Sql, tenant: string): Promise<NamespacePolicy> {
  const [row] = await sql.query<{ public_read: boolean; pull_by_digest_only: boolean }>(
    `select public_read, pull_by_digest_only from registry.namespace_policies where tenant = $1`,
    [tenant],
  );
  return { publicRead: row?.public_read ?? false, pullByDigestOnly: row?.pull_by_digest_only ?? false };
}
