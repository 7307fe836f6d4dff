import { connect } from 'node:net';

const PROBE_MS = 2000;

/** True when the address answers with a status of success. */
export async function answersHttp(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS), redirect: 'error' });
  await response.body?.cancel();
  return response.ok;
}

/** The first line a TCP server says, or undefined when it says none in time. */
export function firstLine(host: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    let said = '';
    const socket = connect({ host, port, timeout: PROBE_MS });
    const finish = (line: string | undefined) => {
      socket.destroy();
      resolve(line);
    };
    socket.setEncoding('utf8').on('data', text => {
      said += String(text);
      const end = said.indexOf('\n');
      if (end >= 0) finish(said.slice(0, end).trim());
    });
    socket.once('timeout', () => finish(undefined));
    socket.once('error', () => finish(undefined));
    socket.once('close', () => finish(undefined));
  });
}
