import { DomainError, requireUnsealed, type RepositoryName } from '@packs/domain';
import type { StoredBlob } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { Batched } from '../batched';
import { toStoredBlob, type BlobRow } from '../content-catalog';
import { SMALL_WRITES } from '../small-writes';
import { isForeignKeyViolation } from '../sql-state';
import { callAs } from '../transaction';

export interface BlobLink {
  readonly to: RepositoryName;
  readonly actor: string;
  readonly blob: StoredBlob;
  /** The upload session it came by. */
  readonly session: string | null;
  /** The session has to be one without bytes and without a writer. */
  readonly whole: boolean;
}

/** `unknown`: there is no such session. `begun`: it has bytes, or a writer. Nothing was recorded then. */
export type Linked = StoredBlob | 'unknown' | 'begun';

type LinkRow = { link: number } & (
  ({ outcome: 'linked' } & { [K in keyof BlobRow]: BlobRow[K] | null }) | { outcome: 'sealed' | 'unknown' | 'begun' }
);

const LINK = 'select * from gateway.link_blobs($1, $2)';
const ATTEMPTS = 5;

/** Blobs that are pushed at the same time share the one flush of a push. See `UploadSessions.link`. */
export class BlobLinks {
  private readonly links: Batched<BlobLink, LinkRow>;

  constructor(private readonly dataSource: DataSource) {
    this.links = new Batched(links => this.linkAll(links), { ...SMALL_WRITES, groupOf: ({ to }) => to.namespace });
  }

  async link(link: BlobLink): Promise<Linked> {
    for (let attempt = 1; ; attempt++) {
      try {
        const row = await this.links.ask(link);
        if (row.outcome === 'sealed') requireUnsealed('api');
        if (row.outcome === 'unknown' || row.outcome === 'begun') return row.outcome;
        if (isRecorded(row)) return toStoredBlob(row);
      } catch (error) {
        // The record that was there went before the link to it was checked: vacuum took it.
        if (!isForeignKeyViolation(error)) throw error;
      }
      if (attempt === ATTEMPTS) {
        throw new DomainError('ERR_PACK_UNAVAILABLE', 'the blob is being taken away at this moment; try again', { retry: 'later' });
      }
    }
  }

  private async linkAll(links: readonly BlobLink[]): Promise<LinkRow[]> {
    const [first] = links;
    if (!first) return [];
    const rows = await callAs<LinkRow>(this.dataSource, LINK, first.to.namespace, [JSON.stringify(links.map(toParameters))]);
    return rows.toSorted((a, b) => a.link - b.link);
  }
}

function toParameters({ to, actor, blob, session, whole }: BlobLink, link: number): object {
  const { digest, size, objectKey, blockChecksums } = blob;
  return { link, repository: to.repository, actor, session, whole, digest, size, object_key: objectKey, checksums: blockChecksums };
}

function isRecorded(row: LinkRow): row is { link: number; outcome: 'linked' } & BlobRow {
  return row.outcome === 'linked' && row.digest !== null;
}
