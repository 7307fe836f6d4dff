import { createHash } from 'node:crypto';
import { sha256 } from '@packs/domain';
import type { EvidenceReadModel } from '@packs/ports';
import type { SummedFile } from './sum-files';

const PAGE = 200;
const NEWLINE = Buffer.from('\n');

export interface AuditFiles {
  readonly files: readonly SummedFile[];
  readonly entries: number;
  /** 0: there is none. */
  readonly lastSeq: number;
}

interface About {
  readonly tenant: string;
  readonly packId: string;
  readonly version: string;
}

/** The audit entries about a version. They are read twice and never held: once for their digest, and once as they leave. */
export async function auditFiles(evidence: EvidenceReadModel, about: About): Promise<AuditFiles> {
  const hash = createHash('sha256');
  const leaves: string[] = [];
  let size = 0;
  let lastSeq = 0;
  for await (const { seq, bytes, hash: leaf } of leavesOf(evidence, about)) {
    hash.update(bytes).update(NEWLINE);
    leaves.push(`${seq} ${leaf}\n`);
    size += bytes.length + NEWLINE.length;
    lastSeq = seq;
  }
  const digest = `sha256:${hash.digest('hex')}` as const;
  const open = async function* () {
    for await (const { seq, bytes } of leavesOf(evidence, about)) if (seq <= lastSeq) yield Buffer.concat([bytes, NEWLINE]);
  };
  const list = Buffer.from(leaves.join(''));
  return {
    files: [
      { path: 'audit/entries.jsonl', size, digest, open },
      { path: 'audit/leaves.txt', bytes: list, digest: sha256(list) },
    ],
    entries: leaves.length,
    lastSeq,
  };
}

async function* leavesOf(evidence: EvidenceReadModel, { tenant, packId, version }: About) {
  for (let after = 0; ;) {
    const page = await evidence.leaves(tenant, { packId, version, after, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.seq;
  }
}
