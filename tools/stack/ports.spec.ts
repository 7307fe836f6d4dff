import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFreePort, PortBook } from './ports';

describe('PortBook', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ports-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const allFree = () => Promise.resolve(true);
  const busy =
    (...ports: number[]) =>
    (port: number) =>
      Promise.resolve(!ports.includes(port));

  it('gives a part the port it had before', async () => {
    const first = await new PortBook(folder, allFree).choose('publisher');
    expect(await new PortBook(folder, allFree).choose('publisher')).toBe(first);
  });

  it('chooses another port, and remembers it, when the one from before is taken', async () => {
    const first = await new PortBook(folder, allFree).choose('publisher');
    const second = await new PortBook(folder, busy(first)).choose('publisher');
    expect(second).not.toBe(first);
    expect(await new PortBook(folder, allFree).choose('publisher')).toBe(second);
  });

  it('never gives one port to two parts', async () => {
    const book = new PortBook(folder, allFree);
    const chosen = [await book.preferring('api-gateway', 8080), await book.preferring('publisher', 8080), await book.preferring('x', 8080)];
    expect(chosen).toEqual([8080, 8081, 8082]);
  });

  it('takes the next free port above a preferred one that is busy', async () => {
    expect(await new PortBook(folder, busy(8080, 8081)).preferring('api-gateway', 8080)).toBe(8082);
  });

  it('returns to the preferred port as soon as it is free again', async () => {
    await new PortBook(folder, busy(8080)).preferring('api-gateway', 8080);
    expect(await new PortBook(folder, allFree).preferring('api-gateway', 8080)).toBe(8080);
  });

  it('refuses a port the user named when it is busy, naming the setting', async () => {
    const refusal = new PortBook(folder, busy(9)).require('api-gateway', 9, 'GATEWAY_PORT');
    await expect(refusal).rejects.toThrow(/port 9 \(GATEWAY_PORT\) is in use/);
  });
});

describe('isFreePort', () => {
  it('tells a port that is listened on from one that is not', async () => {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await isFreePort(port)).toBe(false);
    await new Promise(resolve => server.close(resolve));
    expect(await isFreePort(port)).toBe(true);
  });
});
