import { createServer } from 'node:http';
import { loadClients } from './clients';
import { makeProvider } from './provider';
import { loadSigningKeys, rotateSigningKeys, type SigningKey } from './signing-keys';

/** The local Authority: for development and tests; no process of the product loads it. */
function main(env: NodeJS.ProcessEnv): void {
  const port = Number(env.AUTHORITY_PORT ?? 8085);
  const folder = env.AUTHORITY_DATA_DIR;
  if (!folder) throw new Error('AUTHORITY_DATA_DIR names the folder of keys and clients.');
  const clients = loadClients(folder, { testClients: env.AUTHORITY_TEST_CLIENTS === 'true' });
  const handlerFor = (keys: readonly SigningKey[]) =>
    makeProvider({
      issuer: `http://127.0.0.1:${port}`,
      audience: env.AUTHORITY_AUDIENCE ?? 'packs-registry',
      tokenTtlSeconds: Number(env.AUTHORITY_TOKEN_TTL ?? 3600),
      clients,
      keys,
    }).callback();

  let handle = handlerFor(loadSigningKeys(folder));
  const server = createServer((request, response) => void handle(request, response));
  server.listen(port, '127.0.0.1', () => console.log(`Authority listens on http://127.0.0.1:${port}`));

  process.on('SIGHUP', () => {
    handle = handlerFor(rotateSigningKeys(folder));
    console.log('Signing key rotated; the key before is still published.');
  });
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}

main(process.env);
