import { mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileBlobStore } from '@packs/object-storage';
import { createLogger } from '@packs/observability';
import { PostgresBlobRecords, PostgresContentCatalog, PostgresScrubQueue, createDataSource, type DataSource } from '@packs/persistence';
import { isQuarantined, SystemClock, type StoredBlob } from '@packs/ports';
import { testDatabase, type TestDatabase } from '@packs/testing';
import { ulid } from 'ulid';
import { QuarantineBlob } from '../quarantine-blob/quarantine-blob';
import { RepairingBlobStore } from '../replace-blob/repairing-blob-store';
import { ReplaceBlob } from '../replace-blob/replace-blob';
import { WorkScrub } from './work-scrub';

const LIMITS = { leaseMs: 60_000, bytesPerSecond: 1024 ** 3 };
const logger = createLogger({ process: 'publisher', level: 'fatal' });

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes;
}
