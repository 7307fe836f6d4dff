import { randomUUID } from 'node:crypto';
import { DomainError, requireUnsealed, type Digest, type DigestAlgorithm, type RepositoryName } from '@packs/domain';
import { UploadSessions, type PartialUpload, type StoredBlob, type UploadLease, type UploadSession } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { BLOB_COLUMNS, toStoredBlob, type BlobRow } from '../content-catalog';
import { callAs, inTransaction, readAs, type Sql, type SqlValue } from '../transaction';
import { BlobLinks, type Linked } from './blob-links';

interface SessionRow {
  id: string;
  algorithm: DigestAlgorithm;
  upload: PartialUpload | null;
}

/** In a `from`: what this transaction does need not be flushed before it is answered. */
const UNFLUSHED = `set_config('synchronous_commit', 'off', true)`;
const MINE = `id = $1 and tenant = $2 and repository = $3`;

export class PostgresUploadSessions extends UploadSessions {
  private readonly links: BlobLinks;

  constructor(private readonly dataSource: DataSource) {
    super();
    this.links = new BlobLinks(dataSource);
  }

  async open({ namespace, repository }: RepositoryName, actor: string, algorithm: DigestAlgorithm, limit: number): Promise<string> {
    const id = randomUUID();
    const [row] = await callAs<{ outcome: 'begun' | 'full' | 'sealed' }>(
      this.dataSource,
      'select gateway.begin_upload($1, $2, $3, $4, $5, $6) as outcome',
      namespace,
      [repository, id, algorithm, actor, limit],
    );
    if (row?.outcome === 'begun') return id;
    requireUnsealed(row?.outcome === 'sealed' ? 'api' : null);
    throw new DomainError('ERR_PACK_LIMIT', `the tenant has ${limit} uploads open; end or cancel some of them first`, {
      retry: 'later',
      details: { limit },
    });
  }

  async find({ namespace, repository }: RepositoryName, id: string): Promise<(UploadSession & { busy: boolean }) | undefined> {
    const [row] = await readAs(this.dataSource, namespace, sql =>
      sql.query<SessionRow & { busy: boolean }>(
        `select id, algorithm, upload, coalesce(lease_until > now(), false) as busy from gateway.uploads where ${MINE}`,
        [id, namespace, repository],
      ),
    );
    return row;
  }

  async hold({ of, id, owner, ms }: UploadLease): Promise<UploadSession | undefined> {
    const [row] = await callAs<SessionRow & { busy: boolean }>(
      this.dataSource,
      'select * from gateway.hold_upload($1, $2, $3, $4, $5)',
      of.namespace,
      [of.repository, id, owner, ms],
    );
    if (!row?.busy) return row && { id: row.id, algorithm: row.algorithm, upload: row.upload };
    throw new DomainError('ERR_OCI_UPLOAD_BUSY', 'another request is sending bytes of this upload', { retry: 'later' });
  }

  keep(lease: UploadLease, upload?: PartialUpload): Promise<boolean> {
    return this.change(lease, lease.ms, upload && { has: upload });
  }

  release(lease: UploadLease, upload: PartialUpload | null): Promise<boolean> {
    return this.change(lease, null, { has: upload });
  }

  async remove({ of, id, owner }: UploadLease): Promise<boolean> {
    const rows = await this.write(
      of.namespace,
      `delete from gateway.uploads using ${UNFLUSHED} where ${MINE} and lease_owner = $4 returning 1`,
      [id, of.namespace, of.repository, owner],
    );
    return rows.length > 0;
  }

  async link(to: RepositoryName, actor: string, blob: StoredBlob, session?: string): Promise<StoredBlob> {
    const linked = await this.links.link({ to, actor, blob, session: session ?? null, whole: false });
    if (typeof linked === 'object') return linked;
    throw new Error(`a blob that is linked whatever its session is: ${linked}`);
  }

  linkWhole(to: RepositoryName, actor: string, blob: StoredBlob, session: string): Promise<Linked> {
    return this.links.link({ to, actor, blob, session, whole: true });
  }

  async holders(namespace: string, digest: Digest, limit: number): Promise<readonly RepositoryName[]> {
    const rows = await readAs(this.dataSource, namespace, sql =>
      sql.query<RepositoryName>(
        `select $1 as namespace, repository from (
           (select repository from content.repository_blobs where tenant = $1 and digest = $2 limit $3)
           union (select repository from registry.manifest_blobs where tenant = $1 and blob_digest = $2 limit $3)) as found limit $3`,
        [namespace, digest, limit],
      ),
    );
    return rows;
  }

  /** Another tenant's repository is asked for by the same statement, which then finds nothing. */
  mount(to: RepositoryName, actor: string, digest: Digest, from: RepositoryName): Promise<StoredBlob | undefined> {
    return inTransaction(this.dataSource, to.namespace, async sql => {
      await holdUnsealed(sql);
      const [row] = await sql.query<BlobRow>(
        `with found as (
           select ${BLOB_COLUMNS} from content.blobs b where b.digest = $4 and $5 = $1 and (
             exists (select from content.repository_blobs r where r.tenant = $1 and r.repository = $6 and r.digest = $4)
             or exists (select from registry.manifest_blobs m where m.tenant = $1 and m.repository = $6 and m.blob_digest = $4))
         ), linked as (
           insert into content.repository_blobs (tenant, repository, digest, uploaded_by) select $1, $2, digest, $3 from found on conflict do nothing
         ) select * from found`,
        [to.namespace, to.repository, actor, digest, from.namespace, from.repository],
      );
      return row && toStoredBlob(row);
    });
  }

  /** Replicas sweep beside each other: each takes rows that no other has. */
  async sweep(before: Date, limit: number): Promise<{ ended: number; uploads: readonly PartialUpload[] }> {
    const rows = await this.write<Pick<SessionRow, 'upload'>>(
      null,
      `delete from gateway.uploads where id in (
         select id from gateway.uploads where touched_at < $1 and (lease_until is null or lease_until <= now())
         order by touched_at limit $2 for update skip locked) returning upload`,
      [before, limit],
    );
    return { ended: rows.length, uploads: rows.flatMap(({ upload }) => upload ?? []) };
  }

  private async change(lease: UploadLease, ms: number | null, replaced?: { readonly has: PartialUpload | null }): Promise<boolean> {
    const [row] = await callAs<{ changed: boolean }>(
      this.dataSource,
      'select gateway.change_upload($1, $2, $3, $4, $5, $6, $7) as changed',
      lease.of.namespace,
      [lease.of.repository, lease.id, lease.owner, ms, replaced !== undefined, replaced?.has ? JSON.stringify(replaced.has) : null],
    );
    return row?.changed === true;
  }

  private write<Row>(tenant: string | null, text: string, values: readonly SqlValue[]): Promise<Row[]> {
    return inTransaction(this.dataSource, tenant, sql => sql.query<Row>(text, values));
  }
}

async function holdUnsealed(sql: Sql): Promise<void> {
  const [row] = await sql.query<{ sealed: boolean }>(`select registry.hold_seal() as sealed`);
  requireUnsealed(row?.sealed === false ? null : 'api');
}
