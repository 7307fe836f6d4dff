import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSecrets } from './secrets';

describe('loadSecrets', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'secrets-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const wanted = { databases: ['publisher'], nats: ['publisher', 'admin'] };

  it('keeps every secret over restarts', () => {
    expect(loadSecrets(folder, wanted)).toEqual(loadSecrets(folder, wanted));
  });

  it('adds the secret of a process that is new and leaves the others', () => {
    const before = loadSecrets(folder, wanted);
    const after = loadSecrets(folder, { databases: ['publisher', 'compliance'], nats: wanted.nats });
    expect(after.databases).toEqual({ ...before.databases, compliance: expect.stringMatching(/^p[\w-]{32}$/) });
    expect(after.postgresAdmin).toBe(before.postgresAdmin);
  });

  it('gives each user a password of its own', () => {
    const { postgresAdmin, databases, nats } = loadSecrets(folder, wanted);
    const all = [postgresAdmin, ...Object.values(databases), ...Object.values(nats)];
    expect(new Set(all).size).toBe(4);
  });

  it('keeps the file from other users, also after somebody opened it', () => {
    loadSecrets(folder, wanted);
    const file = join(folder, 'secrets.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o644);
    const before = readFileSync(file, 'utf8');
    loadSecrets(folder, wanted);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});
