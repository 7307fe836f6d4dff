import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Stands between a client and the gateway, and breaks a connection at a chosen byte of what goes through it. */
export class CuttingProxy {
  /** Both directions of one connection end without a word when so many bytes have gone up, or come down. */
  cutAfter: { readonly up?: number; readonly down?: number } = {};
  /** Connections that were broken. */
  cuts = 0;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(target: string): Promise<CuttingProxy> {
    const { hostname, port } = new URL(target);
    const server = createServer(client => proxy.join(client, connect(Number(port), hostname)));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const proxy = new CuttingProxy(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return proxy;
  }

  close(): Promise<void> {
    return new Promise(resolve => this.server.close(() => resolve()));
  }

  private join(client: Socket, gateway: Socket): void {
    const cut = this.cutAfter;
    const broken = (): number => (this.cuts += 1);
    pass(client, gateway, cut.up ?? Infinity, broken);
    pass(gateway, client, cut.down ?? Infinity, broken);
  }
}

function pass(from: Socket, to: Socket, most: number, broken: () => void): void {
  let passed = 0;
  from.on('error', () => undefined);
  from.on('data', chunk => {
    const part = chunk.subarray(0, most - passed);
    passed += part.length;
    if (part.length > 0 && !to.destroyed) to.write(part);
    if (part.length === chunk.length) return;
    broken();
    from.destroy();
    to.destroySoon();
  });
  from.on('close', () => to.destroySoon());
}
