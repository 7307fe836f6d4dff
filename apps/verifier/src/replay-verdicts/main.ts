import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { ConfigError, readSettings, REPLAY_SETTINGS } from '@packs/config';
import type { ReplayLine, ReplayRange } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { openBlobStoreToRead } from '@packs/object-storage';
import { createDataSource, PostgresVerdictArchive } from '@packs/persistence';
import { VerificationPool } from '@packs/sigstore';
import { PooledSignatureVerifier } from '../evaluation/signature-verifier';
import { Rejudge } from './rejudge';
import { ReplayVerdicts } from './replay-verdicts';
import { UnwrittenBlobStore } from './unwritten-blob-store';

const WORKERS = Math.max(1, Math.min(4, availableParallelism()));
/** Longer than the service waits: nobody waits here, and a slow machine has to come to the same end. */
const VERIFICATION_DEADLINE_MS = 60_000;

/**
 * Runs stored verdicts again: a program of its own, which reads a database and bytes and speaks to nobody else. `registry policy replay` starts it with
 * a range as JSON and reads its lines.
 */
async function main(): Promise<void> {
  const settings = readSettings(REPLAY_SETTINGS);
  const range = JSON.parse(process.argv[2] ?? '{"after":null}') as ReplayRange;
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupted.abort());
  const blobs = new UnwrittenBlobStore(await openBlobStoreToRead(settings));
  const dataSource = createDataSource({ url: settings.databaseUrl, applicationName: 'replay-verdicts', poolSize: 4 });
  const pool = new VerificationPool({ workers: WORKERS, deadlineMs: VERIFICATION_DEADLINE_MS });
  try {
    await dataSource.initialize();
    const archive = new PostgresVerdictArchive(dataSource);
    await say({ kind: 'total', verdicts: await archive.count(range, range.after) });
    let after = range.after;
    for await (const step of new ReplayVerdicts(archive, new Rejudge(blobs, new PooledSignatureVerifier(pool))).execute(
      range,
      interrupted.signal,
    )) {
      await say(step);
      after = step.after;
    }
    await say({ kind: 'end', complete: (await archive.count(range, after)) === 0 });
  } finally {
    await pool.close();
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}

async function say(line: ReplayLine): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(line)}\n`)) await once(process.stdout, 'drain');
}

main().catch(async (error: unknown) => {
  const code = error instanceof DomainError ? error.code : error instanceof ConfigError ? 'ERR_PACK_REQUEST_INVALID' : 'ERR_PACK_INTERNAL';
  await say({ kind: 'error', code, message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
});
