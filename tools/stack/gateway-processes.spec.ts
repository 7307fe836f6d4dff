import { gatewayCount, gatewayNames, isGateway, sharingPort } from './gateway-processes';
import type { ChildSpec } from './child';

describe('gatewayNames', () => {
  it('keeps the name of the process for the first', () => {
    expect(gatewayNames(3)).toEqual(['api-gateway', 'api-gateway-2', 'api-gateway-3']);
  });

  it('gives names that are known again as gateways', () => {
    expect([...gatewayNames(12), 'publisher', 'api-gateway-x'].filter(isGateway)).toEqual(gatewayNames(12));
  });
});

describe('gatewayCount', () => {
  it('is one when nothing is said', () => {
    expect([gatewayCount({}), gatewayCount({ GATEWAY_PROCESSES: '4' })]).toEqual([1, 4]);
  });

  it.each(['0', '17', 'two', '-1', ''])('refuses %j', text => {
    expect(() => gatewayCount({ GATEWAY_PROCESSES: text })).toThrow('GATEWAY_PROCESSES');
  });
});

describe('sharingPort', () => {
  it('leaves each process its own log and its own port for health', () => {
    const spec: ChildSpec = {
      name: 'api-gateway',
      tier: 'edge',
      command: 'node',
      args: [],
      env: { GATEWAY_PORT: '8080' },
      logFile: '/data/logs/api-gateway.log',
      ready: async () => false,
    };
    const { ready: _, ...second } = sharingPort(spec, 'api-gateway-2', 20_001);
    expect(second).toMatchObject({
      name: 'api-gateway-2',
      env: { GATEWAY_PORT: '8080', GATEWAY_REUSE_PORT: 'true', GATEWAY_HEALTH_PORT: '20001' },
      logFile: '/data/logs/api-gateway-2.log',
    });
  });
});
