import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Where a process that gets SIGUSR1 listens for debuggers; one process can have it at a time. */
const INSPECTOR = 'http://127.0.0.1:9229/json/list';
const INTERVAL_MICROSECONDS = 200;
const OPEN_WITHIN_MS = 5_000;

/** Samples a running Node process for a while; the file opens in the performance panel of a browser. */
export async function profileProcess(pid: number, milliseconds: number, file: string): Promise<void> {
  process.kill(pid, 'SIGUSR1');
  const session = await Session.open();
  try {
    await session.send('Profiler.enable');
    await session.send('Profiler.setSamplingInterval', { interval: INTERVAL_MICROSECONDS });
    await session.send('Profiler.start');
    await delay(milliseconds);
    const { profile } = (await session.send('Profiler.stop')) as { profile: unknown };
    writeFileSync(file, JSON.stringify(profile));
    // Later, when this session has ended: closing waits for the sessions there are.
    await session.send('Runtime.evaluate', {
      expression: "{ const { close } = require('node:inspector'); setTimeout(close, 100); }",
      includeCommandLineAPI: true,
    });
  } finally {
    session.close();
  }
  await delay(500);
}

/** A session of the Chrome DevTools protocol. */
class Session {
  private readonly waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  private sent = 0;

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener('message', ({ data }) => {
      const { id, result, error } = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: { message: string } };
      const waiter = this.waiting.get(id ?? -1);
      if (error) waiter?.reject(new Error(error.message));
      else waiter?.resolve(result);
    });
    socket.addEventListener('close', () => this.waiting.forEach(({ reject }) => reject(new Error('the inspector closed the session'))));
  }

  static async open(): Promise<Session> {
    const deadline = performance.now() + OPEN_WITHIN_MS;
    while (performance.now() < deadline) {
      const targets = await fetch(INSPECTOR)
        .then(answer => answer.json() as Promise<{ webSocketDebuggerUrl: string }[]>)
        .catch(() => []);
      const [target] = targets;
      if (target) return Session.connect(target.webSocketDebuggerUrl);
      await delay(100);
    }
    throw new Error('the process did not open its inspector on port 9229');
  }

  private static connect(url: string): Promise<Session> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.addEventListener('open', () => resolve(new Session(socket)));
      socket.addEventListener('error', () => reject(new Error(`no debugging session with ${url}`)));
    });
  }

  send(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.sent;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.socket.close();
  }
}
