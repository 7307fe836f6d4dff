import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialsIn } from './credentials-file';

const SECRET = Buffer.from('robot:s3cret').toString('base64');
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'credentials-'));
  file = join(folder, 'registries.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(content: string, mode = 0o600): void {
  writeFileSync(file, content);
  chmodSync(file, mode);
}

describe('a file of credentials', () => {
  it('has those of the registries it names, as it is now', async () => {
    const credentialsOf = credentialsIn(file);
    put(JSON.stringify({ auths: { 'registry.example:5000': { auth: SECRET } } }));
    expect(await credentialsOf('registry.example:5000')).toEqual({ username: 'robot', password: 's3cret' });
    expect(await credentialsOf('registry.example')).toBeUndefined();
    put(JSON.stringify({ auths: { 'registry.example:5000': { username: 'robot', password: 'other' } } }));
    expect(await credentialsOf('registry.example:5000')).toEqual({ username: 'robot', password: 'other' });
    expect(await credentialsIn(undefined)('registry.example:5000')).toBeUndefined();
  });

  it('runs no helper that it names', async () => {
    put(JSON.stringify({ credsStore: 'desktop', credHelpers: { 'registry.example': 'desktop' } }));
    expect(await credentialsIn(file)('registry.example')).toBeUndefined();
  });

  it.each([
    ['is not there', () => undefined],
    ['others may read too', () => put(JSON.stringify({ auths: { 'registry.example': { auth: SECRET } } }), 0o640)],
    ['is no JSON', () => put(`{"auths": ${SECRET}`)],
  ])('is refused when it %s, and nothing of it is told', async (_, make) => {
    make();
    const error = await credentialsIn(file)('registry.example').catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'ERR_PACK_AUTHENTICATION' });
    expect(String(error)).not.toContain(SECRET);
  });
});
