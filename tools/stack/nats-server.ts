import { join } from 'node:path';
import type { ChildSpec } from './child';
import { natsConfig, type NatsUser } from './nats-config';
import { writePrivateFile } from './private-file';
import { firstLine } from './readiness';

/** The local nats-server with JetStream on loopback, one user per process with the permissions of the contracts. */
export function natsServer(options: {
  readonly binary: string;
  readonly folder: string;
  readonly port: number;
  readonly users: readonly NatsUser[];
  readonly logFile: string;
}): ChildSpec {
  const { binary, folder, port, users, logFile } = options;
  const config = join(folder, 'nats-server.conf');
  writePrivateFile(config, natsConfig({ port, users, storeDir: join(folder, 'jetstream'), pidFile: join(folder, 'nats-server.pid') }));
  return {
    name: 'nats-server',
    tier: 'service',
    command: binary,
    args: ['--config', config],
    env: {},
    logFile,
    stopSignal: 'SIGINT',
    ready: async () => {
      const line = await firstLine('127.0.0.1', port);
      return line?.startsWith('INFO ') === true && (JSON.parse(line.slice('INFO '.length)) as { jetstream?: boolean }).jetstream === true;
    },
  };
}
