import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics of one process; `/metrics` shows all of them. */
export const metrics = new Registry();

/** Node's own figures. Called once by the process, so that tests do not start timers by importing this file. */
export function collectProcessMetrics(process: string): void {
  metrics.setDefaultLabels({ process });
  collectDefaultMetrics({ register: metrics });
}

export const publishTotal = new Counter({
  name: 'registry_pack_publish_total',
  help: 'Publishes answered, by result: published, already-published, rejected, refused or failed',
  labelNames: ['result'],
  registers: [metrics],
});

export const channelPromotions = new Counter({
  name: 'registry_pack_channel_promotions_total',
  help: 'Promotions that moved a channel, by channel',
  labelNames: ['channel'],
  registers: [metrics],
});

export const signatureVerifySeconds = new Histogram({
  name: 'registry_pack_signature_verify_seconds',
  help: 'Time to check one signature, by result: valid, invalid or untrusted',
  labelNames: ['result'],
  buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  registers: [metrics],
});

export const outboxUnsent = new Gauge({
  name: 'registry_outbox_unsent',
  help: 'Events committed but not yet acknowledged by the stream',
  registers: [metrics],
});

export const eventsConsumed = new Counter({
  name: 'registry_events_consumed_total',
  help: 'Messages a consumer finished, by outcome: done, retry or dead',
  labelNames: ['consumer', 'outcome'],
  registers: [metrics],
});

export const corruptReads = new Counter({
  name: 'registry_blob_corrupt_reads_total',
  help: 'Reads cut because stored bytes differ from those that were proven',
  registers: [metrics],
});

export const quarantinedBlobs = new Counter({
  name: 'registry_blob_quarantined_total',
  help: 'Blobs put in quarantine because their stored bytes are damaged or missing',
  registers: [metrics],
});

export const repairedBlobs = new Counter({
  name: 'registry_blob_repaired_total',
  help: 'Blobs in quarantine whose bytes were replaced by whole ones',
  registers: [metrics],
});

export const scrubbedBytes = new Counter({
  name: 'registry_scrub_bytes_total',
  help: 'Bytes at rest that scrubs read and compared with their digests',
  registers: [metrics],
});

export const withdrawnReads = new Counter({
  name: 'registry_pack_withdrawn_reads_total',
  help: 'Reads refused because stored signatures no longer satisfy the policy under the current keys',
  registers: [metrics],
});

export const keptReads = new Counter({
  name: 'registry_oci_kept_reads_total',
  help: 'Manifests and blobs whose answer was in memory and still true',
  registers: [metrics],
});

export const mirrorQueueDepth = new Gauge({
  name: 'registry_pack_mirror_queue_depth',
  help: 'Mirror jobs that wait: queued, or for their next attempt',
  registers: [metrics],
});

export const mirrorLagSeconds = new Gauge({
  name: 'registry_pack_mirror_lag_seconds',
  help: 'Age of the oldest change that a mirror does not show yet, of all mirrors the greatest',
  registers: [metrics],
});

export const mirroredBytes = new Counter({
  name: 'registry_pack_mirror_bytes_total',
  help: 'Bytes written to mirrors',
  registers: [metrics],
});

export const mirroredVersions = new Counter({
  name: 'registry_pack_mirror_versions_total',
  help: 'Versions of which something was written to a mirror',
  registers: [metrics],
});

export const mirrorSyncs = new Counter({
  name: 'registry_pack_mirror_sync_total',
  help: 'Syncs that ended, by result: completed, retried or failed',
  labelNames: ['result'],
  registers: [metrics],
});

export const kitJobs = new Counter({
  name: 'registry_kit_jobs_total',
  help: 'Exports and imports of offline kits that ended, by result: succeeded or failed',
  labelNames: ['kind', 'result'],
  registers: [metrics],
});

export const parityOutOfStep = new Gauge({
  name: 'registry_parity_out_of_step',
  help: 'Mirrors that are out of step, or of which it is not known',
  registers: [metrics],
});

export const parityComparisonSeconds = new Histogram({
  name: 'registry_parity_comparison_seconds',
  help: 'Time of one attempt at a comparison, by result: in-step, drift, disturbed or failed',
  labelNames: ['result'],
  buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800, 7200],
  registers: [metrics],
});

export const trustDrifted = new Gauge({
  name: 'registry_trust_drifted',
  help: 'Tenants that trust something else than the trust bundle file says',
  registers: [metrics],
});

export const trustEnding = new Gauge({
  name: 'registry_trust_ending',
  help: 'Keys, authorities, logs and trust bundles that end within so many days; 0: they have ended',
  labelNames: ['days'],
  registers: [metrics],
});
