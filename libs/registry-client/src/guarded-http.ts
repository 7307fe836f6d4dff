import { lookup, type LookupAddress } from 'node:dns';
import { type Agent, request as httpRequest, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import { registryFault, Transient } from './registry-faults';
import type { AllowedRegistry, ClientSettings } from './settings';

export interface HttpQuestion {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read or dropped. */
  readonly body: IncomingMessage;
}

/** Services of the cloud that a machine runs in: no registry is there, whatever its name leads to. */
const NEVER = new BlockList();
NEVER.addSubnet('169.254.0.0', 16, 'ipv4');
NEVER.addSubnet('fe80::', 10, 'ipv6');
NEVER.addAddress('fd00:ec2::254', 'ipv6');
NEVER.addAddress('100.100.100.200', 'ipv4');

const NOT_ALLOWED = 'ERR_ADDRESS_NOT_ALLOWED';

/**
 * The only way out: to registries of the list, by the protocol it names, at addresses it allows, and without following a redirect.
 * Addresses are judged when a connection is made, so that a name cannot lead elsewhere afterwards.
 */
export class GuardedHttp {
  private readonly agents = new Map<string, Agent>();

  constructor(private readonly settings: Pick<ClientSettings, 'registries' | 'idleMs' | 'connections'>) {}

  /** @throws DomainError ERR_REGISTRY_NOT_ALLOWED */
  baseOf(host: string): URL {
    const allowed = this.settings.registries.find(one => one.host === host);
    if (!allowed) throw registryFault('ERR_REGISTRY_NOT_ALLOWED', host, 'it is not among the registries that may be connected to');
    return new URL(`${allowed.protocol}//${allowed.host}`);
  }

  /** @throws DomainError ERR_REGISTRY_NOT_ALLOWED; Transient */
  send(question: HttpQuestion): Promise<HttpAnswer> {
    const { url, method, headers, body, signal } = question;
    const allowed = this.settings.registries.find(one => one.host === url.host);
    if (!allowed || allowed.protocol !== url.protocol || url.username !== '' || url.password !== '') {
      throw registryFault('ERR_REGISTRY_NOT_ALLOWED', url.host, 'it is not among the registries that may be connected to');
    }
    if (isNeverARegistry(url.hostname.replace(/^\[|\]$/g, ''))) throw addressNotAllowed(url.host);
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const length = body || method === 'POST' || method === 'PUT' ? { 'content-length': String(body?.length ?? 0) } : {};
      const request: ClientRequest = send(url, {
        method,
        headers: { 'user-agent': 'stellaops-packs', ...headers, ...length },
        agent: this.agentOf(allowed),
        signal,
        timeout: this.settings.idleMs,
      });
      request.once('timeout', () => request.destroy(new Error('nothing moved on the connection')));
      request.once('response', message => resolve({ status: message.statusCode ?? 0, headers: message.headers, body: message }));
      request.on('error', error => reject(signal?.aborted ? signal.reason : connectionFault(allowed.host, error)));
      request.end(body);
    });
  }

  private agentOf(allowed: AllowedRegistry): Agent {
    const key = `${allowed.protocol}//${allowed.host}`;
    const known = this.agents.get(key);
    if (known) return known;
    const options = {
      keepAlive: true,
      maxSockets: this.settings.connections,
      allowPrivateIPAddress: allowed.allowsPrivate,
      lookup: lookupOutside,
    };
    const agent = allowed.protocol === 'https:' ? new RequestFilteringHttpsAgent(options) : new RequestFilteringHttpAgent(options);
    this.agents.set(key, agent);
    return agent;
  }
}

/** Also where private addresses are allowed. */
const lookupOutside: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error) return callback(error, [], 0);
    if (addresses.some(({ address }) => isNeverARegistry(address))) {
      return callback(Object.assign(new Error(`${hostname} leads to an address that is not allowed`), { code: NOT_ALLOWED }), [], 0);
    }
    const [first] = addresses;
    if (options.all || !first) return callback(null, addresses, 0);
    return callback(null, first.address, first.family);
  });
};

/** Whether an address, as a name leads to it or as it is written in place of one, is none of a registry. */
function isNeverARegistry(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && NEVER.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

function addressNotAllowed(host: string): Error {
  return registryFault('ERR_REGISTRY_NOT_ALLOWED', host, 'its name leads to an address that may not be connected to');
}

function connectionFault(host: string, error: NodeJS.ErrnoException): Error {
  if (error.code === NOT_ALLOWED || /is not allowed\. Because/.test(error.message)) {
    return addressNotAllowed(host);
  }
  return new Transient(`the connection failed (${error.code ?? 'it was closed'})`, undefined, error);
}

/** @throws Transient when it is not read to its end; Error `tooLong` when it is longer than it may be */
export async function readAnswer({ body }: HttpAnswer, maxBytes: number, tooLong: () => Error): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > maxBytes) break;
      parts.push(part);
    }
  } catch (error) {
    throw new Transient('the answer broke off', undefined, error);
  }
  if (size > maxBytes) throw tooLong();
  return Buffer.concat(parts);
}

/** Lets go of an answer nobody reads; a short one so that its connection can be used again. */
export function dropAnswer({ headers, body }: HttpAnswer): void {
  body.on('error', () => undefined);
  if (Number(headers['content-length'] ?? Infinity) <= 64 * 1024) body.resume();
  else body.destroy();
}
