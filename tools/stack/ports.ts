import { createServer } from 'node:net';
import { join } from 'node:path';
import { randomInt } from 'node:crypto';
import { findListener } from './port-listener';
import { readPrivateFile, writePrivateFile } from './private-file';
import { StepError } from './step-error';

export const DEFAULT_GATEWAY_PORT = 8080;

// Below the ephemeral range, so that no outgoing connection takes a port between choosing and listening.
const FIRST_FREE = 20_000;
const LAST_FREE = 32_000;

export type IsFree = (port: number) => Promise<boolean>;

/** True when this process could listen there now. */
export function isFreePort(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Ports by name, remembered in `ports.json` so that a restart keeps every one that is still free. */
export class PortBook {
  private readonly path: string;
  private readonly remembered: Record<string, number>;
  private readonly taken = new Set<number>();

  constructor(
    dataDir: string,
    private readonly isFree: IsFree = isFreePort,
  ) {
    this.path = join(dataDir, 'ports.json');
    this.remembered = JSON.parse(readPrivateFile(this.path) ?? '{}') as Record<string, number>;
  }

  /** The port `name` had before when it is free, else a free one. */
  async choose(name: string): Promise<number> {
    const before = this.remembered[name];
    if (before !== undefined && (await this.available(before))) return this.keep(name, before);
    for (let attempt = 0; attempt < 200; attempt++) {
      const port = randomInt(FIRST_FREE, LAST_FREE);
      if (await this.available(port)) return this.keep(name, port);
    }
    throw new StepError(`no free port between ${FIRST_FREE} and ${LAST_FREE} was found.`, 'End programs that listen on many ports.');
  }

  /** The port the user named: taken as it is or refused, never replaced. */
  async require(name: string, port: number, setting: string): Promise<number> {
    if (await this.available(port)) return this.keep(name, port);
    throw new StepError(
      `port ${port} (${setting}) is in use${await describeListener(port)}.`,
      `End that program, set ${setting} to another port, or leave it out to take the next free one.`,
    );
  }

  /** `preferred` or the next free port above it. */
  async preferring(name: string, preferred: number): Promise<number> {
    for (let port = preferred; port < preferred + 100; port++) {
      if (await this.available(port)) return this.keep(name, port);
    }
    return this.choose(name);
  }

  private async available(port: number): Promise<boolean> {
    return !this.taken.has(port) && (await this.isFree(port));
  }

  private keep(name: string, port: number): number {
    this.taken.add(port);
    if (this.remembered[name] !== port) {
      this.remembered[name] = port;
      writePrivateFile(this.path, `${JSON.stringify(this.remembered, null, 2)}\n`);
    }
    return port;
  }
}

/** ` by <command> (process <pid>)` when the system tells, else nothing. */
export async function describeListener(port: number): Promise<string> {
  const listener = await findListener(port);
  return listener ? ` by \`${listener.command}\` (process ${listener.pid})` : '';
}
