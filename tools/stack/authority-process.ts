import { join } from 'node:path';
import type { ChildSpec } from './child';
import { inheritedBy, type Environment } from './environment';
import { answersHttp } from './readiness';
import { builtFile } from './repository-root';

/** The local Authority: a process of its own that keeps keys and clients in `<dataDir>/authority`. */
export function authorityProcess(options: {
  readonly port: number;
  readonly dataDir: string;
  readonly audience: string;
  readonly environment: Environment;
}): ChildSpec {
  const { port, dataDir, audience, environment } = options;
  return {
    name: 'authority',
    tier: 'service',
    command: process.execPath,
    args: ['--enable-source-maps', builtFile('tools', 'authority', 'main.js')],
    env: {
      ...inheritedBy('tool', environment),
      AUTHORITY_PORT: String(port),
      AUTHORITY_DATA_DIR: join(dataDir, 'authority'),
      AUTHORITY_AUDIENCE: audience,
      AUTHORITY_TOKEN_TTL: environment.AUTHORITY_TOKEN_TTL ?? '3600',
      AUTHORITY_TEST_CLIENTS: environment.AUTHORITY_TEST_CLIENTS ?? 'false',
    },
    cwd: dataDir,
    logFile: join(dataDir, 'logs', 'authority.log'),
    ready: () => answersHttp(`http://127.0.0.1:${port}/.well-known/openid-configuration`),
  };
}
