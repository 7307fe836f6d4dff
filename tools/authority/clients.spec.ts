import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientSecretFile, loadClients } from './clients';

describe('loadClients', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'clients-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('keeps each secret over restarts, in a file only its owner can read', () => {
    const [viewer] = loadClients(folder, { testClients: false });
    expect(loadClients(folder, { testClients: false })[0]).toEqual(viewer);
    const file = clientSecretFile(folder, 'acme-viewer');
    expect(readFileSync(file, 'utf8').trim()).toBe(viewer?.secret);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('has a client without tenant only when asked for', () => {
    const withoutTenant = (testClients: boolean) => loadClients(folder, { testClients }).filter(({ tenant }) => tenant === undefined);
    expect(withoutTenant(false)).toEqual([]);
    expect(withoutTenant(true).map(({ clientId }) => clientId)).toEqual(['no-tenant']);
  });
});
