import { request } from 'node:http';
import { HOST_SOCKET, type PartOrder, type StartOrder } from './stack-host-protocol';

/** Asks the host of the stacks, which lives outside the spec file. */
export function ask<T>(path: '/start' | '/end' | '/part', order: StartOrder | PartOrder | { readonly id: string }): Promise<T> {
  const socketPath = process.env[HOST_SOCKET];
  if (!socketPath) throw new Error('These tests run as the jest project e2e, whose set-up hosts the stacks.');
  return new Promise((resolve, reject) => {
    // A connection of its own: one kept from a spec before may be closed by the host just as it is used.
    const call = request({ socketPath, path, method: 'POST', agent: false }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', chunk => (text += String(chunk)));
      response.once('end', () => (response.statusCode === 200 ? resolve(JSON.parse(text) as T) : reject(new Error(text))));
    });
    call.once('error', reject);
    call.end(JSON.stringify(order));
  });
}
