import type { OciRequest } from '../caller';

/** What a challenge and a token request call the registry. */
export const TOKEN_SERVICE = 'packs-registry';
export const TOKEN_PATH = '/token';

/** RFC 9110 §7.2: a name or an address, and a port. */
const HOST = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;

/**
 * How clients reach the gateway: as configured, else by the host they asked for. What a proxy says about itself is not looked at, since
 * anybody can say it.
 */
export function publicUrl({ headers }: Pick<OciRequest, 'headers'>, configured: string | undefined): string {
  if (configured !== undefined) return configured;
  const { host } = headers;
  return `http://${typeof host === 'string' && HOST.test(host) ? host : 'localhost'}`;
}
