import { loadavg } from 'node:os';
import type { Machine } from './machine';
import { shown } from './table';

/** What the figures of a run depend on besides the product. */
export interface Circumstances {
  readonly machine: Machine;
  readonly database: Readonly<Record<string, string>>;
  readonly nats: string;
}

const DURABILITY = ['fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method'];

/** Machine, load, versions, and what makes a change durable: the head of every report. */
export function circumstances({ machine, database, nats }: Circumstances, peer?: string): string[] {
  return [
    `  machine     ${machine.processors} x ${machine.processor}, ${shown(machine.memoryGib)} GiB (${shown(machine.freeGib)} free), Linux ${machine.kernel}`,
    `  volume      ${machine.volume}`,
    `  load        ${machine.load.map(shown).join(' ')} before the run, ${loadavg().map(shown).join(' ')} after it`,
    `  versions    Node ${machine.node}, PostgreSQL ${database.server_version}, nats-server ${nats}${peer === undefined ? '' : `, docker-registry ${peer}`}`,
    '  ours        every object: fdatasync of the file, fsync of its folder, before the answer. PostgreSQL: ' +
      DURABILITY.map(name => `${name}=${database[name]}`).join(' '),
    `              data in ${database.data_directory}. JetStream at the server's default interval: the outbox is the record.`,
    '              Access token, verification, policy, audit event and logs on. Raw body, signature in a header, ECDSA P-256 key.',
  ];
}
