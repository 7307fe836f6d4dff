import type { ChildSpec } from './child';
import type { Environment } from './environment';
import { answersHttp } from './readiness';
import { StepError } from './step-error';

/** The gateway processes behind one port: `api-gateway`, `api-gateway-2`, … */
export type GatewayName = 'api-gateway' | `api-gateway-${number}`;

const MOST = 16;
const SETTING = 'GATEWAY_PROCESSES';

export function isGateway(name: string): boolean {
  return /^api-gateway(-\d+)?$/.test(name);
}

export function gatewayNames(count: number): GatewayName[] {
  return Array.from({ length: count }, (_, at): GatewayName => (at === 0 ? 'api-gateway' : `api-gateway-${at + 1}`));
}

/** How many gateway processes a user wants. @throws StepError */
export function gatewayCount(environment: Environment): number {
  const text = environment[SETTING] ?? '1';
  const count = Number(text);
  if (/^\d{1,2}$/.test(text) && count >= 1 && count <= MOST) return count;
  throw new StepError(`${SETTING} is ${text}.`, `Set it to a number from 1 to ${MOST}, or leave it out.`);
}

/** One of several that share a port. Through that port any of them would answer, so it has another one for its health. */
export function sharingPort(spec: ChildSpec, name: GatewayName, healthPort: number): ChildSpec {
  return {
    ...spec,
    name,
    env: { ...spec.env, GATEWAY_REUSE_PORT: 'true', GATEWAY_HEALTH_PORT: String(healthPort) },
    logFile: spec.logFile.replace(/api-gateway\.log$/, `${name}.log`),
    ready: () => answersHttp(`http://127.0.0.1:${healthPort}/readyz`),
  };
}
