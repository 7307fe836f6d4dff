/** The deployable processes, named as their folder under `apps/` and their NATS user. */
export const PROCESSES = ['api-gateway', 'publisher', 'verifier', 'mirror-worker', 'parity-worker', 'compliance'] as const;
export type ProcessName = (typeof PROCESSES)[number];

/** The prefix of a process's settings: `PUBLISHER_DATABASE_URL`. */
export const ENV_PREFIX: Readonly<Record<ProcessName, string>> = {
  'api-gateway': 'GATEWAY',
  publisher: 'PUBLISHER',
  verifier: 'VERIFIER',
  'mirror-worker': 'MIRROR',
  'parity-worker': 'PARITY',
  compliance: 'COMPLIANCE',
};

/** Replies to a process's requests arrive below its own prefix, which no other process may subscribe to. */
export function inboxPrefix(process: ProcessName): string {
  return `_INBOX_${process.replaceAll('-', '_')}`;
}
