import { inboxPrefix, type ProcessName } from '@packs/contracts';
import { connect, type ConnectionOptions, type NatsConnection } from 'nats';

export interface NatsSettings {
  readonly process: ProcessName;
  readonly url: string;
  readonly password: string;
}

/** Options of every connection: it outlives any outage of the server, and replies come to the process's own inboxes. */
export function connectionOptions({ process, url, password }: NatsSettings): ConnectionOptions {
  return {
    servers: url,
    name: process,
    user: process,
    pass: password,
    inboxPrefix: inboxPrefix(process),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    timeout: 5_000,
    // Else an Error is made for every request, in case it fails.
    noAsyncTraces: true,
  };
}

/** @throws NatsError when no server answers within the time-out */
export function openConnection(settings: NatsSettings): Promise<NatsConnection> {
  return connect(connectionOptions(settings));
}
