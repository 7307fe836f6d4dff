import { DomainError, requireUnsealed, type Digest, type RepositoryKind } from '@packs/domain';
import { GenericContent, type GenericOutcome, type GenericPush } from '@packs/ports';
import type { DataSource } from 'typeorm';
import { Batched } from '../batched';
import { SMALL_WRITES } from '../small-writes';
import { isForeignKeyViolation } from '../sql-state';
import { callAs } from '../transaction';

interface PutRow {
  /** Which of the pushes it answers. */
  push: number;
  sealed: boolean;
  kind: RepositoryKind | null;
  missing: Digest[];
  of_size: string | null;
  at_key: string | null;
}

/** Pushes of a tenant that come while others are recorded share a round trip and a commit. */
export class PostgresGenericContent extends GenericContent {
  private readonly pushes: Batched<GenericPush, PutRow>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly sealedByConfiguration: boolean,
  ) {
    super();
    this.pushes = new Batched(pushes => this.putAll(pushes), { ...SMALL_WRITES, groupOf: ({ tenant }) => tenant });
  }

  /** What a statement found is gone when its foreign keys are checked: it was deleted meanwhile. */
  async put(push: GenericPush): Promise<GenericOutcome> {
    if (this.sealedByConfiguration) requireUnsealed('configuration');
    try {
      return toOutcome(push, await this.pushes.ask(push));
    } catch (cause) {
      if (!isForeignKeyViolation(cause)) throw cause;
      throw new DomainError('ERR_PACK_CONFLICT', `${push.repository} was changed meanwhile; try again`, { retry: 'later', cause });
    }
  }

  private async putAll(pushes: readonly GenericPush[]): Promise<PutRow[]> {
    const [first] = pushes;
    if (!first) return [];
    const rows = await callAs<PutRow>(this.dataSource, 'select * from registry.put_generic($1, $2)', first.tenant, [
      JSON.stringify(pushes.map(toParameters)),
    ]);
    return rows.toSorted((a, b) => a.push - b.push);
  }
}

function toParameters({ manifest, written, ...push }: GenericPush, at: number): object {
  return {
    push: at,
    repository: push.repository,
    digest: manifest.digest,
    size: written.size,
    object_key: written.objectKey,
    checksums: written.blockChecksums,
    media_type: manifest.mediaType,
    artifact_type: manifest.artifactType,
    subject: manifest.subject,
    annotations: manifest.annotations,
    blobs: unique(push.blobs),
    foreign_blobs: unique(push.foreignBlobs),
    children: unique(push.children),
    parts: push.parts,
    tags: unique(push.tags),
    at: push.at,
    actor: push.actor,
  };
}

function toOutcome({ written }: GenericPush, { sealed, kind, missing, of_size: size, at_key: objectKey }: PutRow): GenericOutcome {
  requireUnsealed(sealed ? 'api' : null);
  return { kind, missing, recorded: { digest: written.digest, size: Number(size), objectKey: objectKey ?? written.objectKey } };
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].toSorted();
}
