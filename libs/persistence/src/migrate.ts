import { DataSource } from 'typeorm';
import { Compliance1700000000002 } from './migrations/0002-compliance';
import { OUTBOX_SCHEMAS } from './event-record';
import { Registry1700000000001 } from './migrations/0001-registry';
import { Workers1700000000003 } from './migrations/0003-workers';
import { Channels1700000000004 } from './migrations/0004-channels';
import { Attestations1700000000005 } from './migrations/0005-attestations';
import { Coverage1700000000006 } from './migrations/0006-coverage';
import { Mirrors1700000000007 } from './migrations/0007-mirrors';
import { Parity1700000000008 } from './migrations/0008-parity';
import { Kits1700000000009 } from './migrations/0009-kits';
import { Seal1700000000010 } from './migrations/0010-seal';
import { Repositories1700000000011 } from './migrations/0011-repositories';
import { DpopProofs1700000000012 } from './migrations/0012-dpop-proofs';
import { RepositoryReads1700000000013 } from './migrations/0013-repository-reads';
import { RegistryMirrors1700000000014 } from './migrations/0014-registry-mirrors';
import { Quarantine1700000000015 } from './migrations/0015-quarantine';
import { UploadCalls1700000000016 } from './migrations/0016-upload-calls';
import { ReadChanges1700000000017 } from './migrations/0017-read-changes';
import { SmallWrites1700000000018 } from './migrations/0018-small-writes';
import { PullingMirrors1700000000019 } from './migrations/0019-pulling-mirrors';
import { VerdictQuestions1700000000021 } from './migrations/0021-verdict-questions';
import { TrustBundles1700000000022 } from './migrations/0022-trust-bundles';
import { SignatureRotation1700000000023 } from './migrations/0023-signature-rotation';
import { ScanSettings1700000000024 } from './migrations/0024-scan-settings';
import { AttestationStates1700000000025 } from './migrations/0025-attestation-states';
import { PlainManifests1700000000026 } from './migrations/0026-plain-manifests';
import { ScanCoverage1700000000028 } from './migrations/0028-scan-coverage';
import { ensureRoles, MIGRATE_ROLE, type LoginRole } from './roles';

/** Held while migrating, so that two runs take turns. */
const ADVISORY_LOCK = 7_220_901;
/** Outbox partitions are made this far ahead; rows beyond go to the default partition and are never refused. */
const MONTHS_AHEAD = 12;

/**
 * Makes the roles and brings every schema up to date. Safe to run again and at the same time as another run.
 * @param adminUrl a role that may create roles and schemas; nothing but this uses it
 */
export async function migrate(adminUrl: string, logins: readonly LoginRole[], now = new Date()): Promise<{ applied: string[] }> {
  const admin = new DataSource({ type: 'postgres', url: adminUrl, applicationName: 'migrate', poolSize: 1, connectTimeoutMS: 10_000 });
  await admin.initialize();
  try {
    await admin.query(`select pg_advisory_lock(${ADVISORY_LOCK})`);
    await ensureRoles(text => admin.query(text), logins);
    await admin.query(`create schema if not exists migrate authorization ${MIGRATE_ROLE}`);
    return { applied: await applyAs(adminUrl, now) };
  } finally {
    await admin.destroy();
  }
}

async function applyAs(adminUrl: string, now: Date): Promise<string[]> {
  const owner = new DataSource({
    type: 'postgres',
    url: adminUrl,
    applicationName: 'migrate',
    schema: 'migrate',
    poolSize: 1,
    migrations: [
      Registry1700000000001,
      Compliance1700000000002,
      Workers1700000000003,
      Channels1700000000004,
      Attestations1700000000005,
      Coverage1700000000006,
      Mirrors1700000000007,
      Parity1700000000008,
      Kits1700000000009,
      Seal1700000000010,
      Repositories1700000000011,
      DpopProofs1700000000012,
      RepositoryReads1700000000013,
      RegistryMirrors1700000000014,
      Quarantine1700000000015,
      UploadCalls1700000000016,
      ReadChanges1700000000017,
      SmallWrites1700000000018,
      PullingMirrors1700000000019,
      VerdictQuestions1700000000021,
      TrustBundles1700000000022,
      SignatureRotation1700000000023,
      ScanSettings1700000000024,
      AttestationStates1700000000025,
      PlainManifests1700000000026,
      ScanCoverage1700000000028,
    ],
    migrationsTableName: 'applied',
    extra: { options: `-c role=${MIGRATE_ROLE}` },
  });
  await owner.initialize();
  try {
    const applied = await owner.runMigrations({ transaction: 'each' });
    for (const statement of OUTBOX_SCHEMAS.flatMap(schema => outboxPartitions(schema, now))) await owner.query(statement);
    return applied.map(migration => migration.name);
  } finally {
    await owner.destroy();
  }
}

function outboxPartitions(schema: string, now: Date): string[] {
  return Array.from({ length: MONTHS_AHEAD + 1 }, (_, ahead) => {
    const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1));
    const to = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead + 1, 1));
    const name = `outbox_${from.toISOString().slice(0, 7).replace('-', '_')}`;
    // Rows that already lie in the default partition keep the month there.
    return `do $$ begin
      create table if not exists ${schema}.${name} partition of ${schema}.outbox
        for values from ('${from.toISOString()}') to ('${to.toISOString()}');
    exception when check_violation then null; end $$`;
  });
}
