import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from '../stack/private-file';

/** A machine client of the local Authority. */
export interface AuthorityClient {
  readonly clientId: string;
  readonly secret: string;
  readonly scope: string;
  /** Absent: its tokens carry no tenant, which the registry refuses. */
  readonly tenant?: string;
}

type ClientDefinition = Omit<AuthorityClient, 'secret'>;

const CLIENTS: readonly ClientDefinition[] = [
  { clientId: 'acme-viewer', tenant: 'acme', scope: 'packs.read' },
  { clientId: 'acme-publisher', tenant: 'acme', scope: 'packs.read packs.write' },
  { clientId: 'acme-approver', tenant: 'acme', scope: 'packs.read packs.approve' },
  { clientId: 'acme-operator', tenant: 'acme', scope: 'packs.read packs.run' },
  { clientId: 'acme-admin', tenant: 'acme', scope: 'packs.read packs.write packs.approve packs.admin' },
  { clientId: 'globex-viewer', tenant: 'globex', scope: 'packs.read' },
  { clientId: 'globex-publisher', tenant: 'globex', scope: 'packs.read packs.write' },
  { clientId: 'globex-admin', tenant: 'globex', scope: 'packs.read packs.write packs.approve packs.admin' },
];

const TEST_CLIENTS: readonly ClientDefinition[] = [{ clientId: 'no-tenant', scope: 'packs.read' }];

/**
 * The clients with their secrets, made on first use. `clients.json` holds all of them and `<client>.secret` one each, which a command line
 * can name without showing the secret.
 */
export function loadClients(folder: string, options: { readonly testClients: boolean }): readonly AuthorityClient[] {
  const path = join(folder, 'clients.json');
  const known = JSON.parse(readPrivateFile(path) ?? '[]') as AuthorityClient[];
  const definitions = options.testClients ? [...CLIENTS, ...TEST_CLIENTS] : CLIENTS;
  const clients = definitions.map(definition => ({
    ...definition,
    secret: known.find(({ clientId }) => clientId === definition.clientId)?.secret ?? randomBytes(24).toString('base64url'),
  }));
  writePrivateFile(path, `${JSON.stringify(clients, null, 2)}\n`);
  for (const { clientId, secret } of clients) writePrivateFile(clientSecretFile(folder, clientId), `${secret}\n`);
  return clients;
}

export function clientSecretFile(folder: string, clientId: string): string {
  return join(folder, `${clientId}.secret`);
}
