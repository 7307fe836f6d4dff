import type { PackDetail, PackList, PublishAnswer, VersionList, VersionView } from '@packs/contracts';
import { eventually } from '@packs/testing';
import type { Caller } from './caller';
import { aBundle, aManifest } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const key = new SigningKey('release');
let publisher: Caller;

beforeAll(async () => {
  const registry = await Registry.shared();
  publisher = await registry.caller();
  await publisher.accept(key);
});

async function publish(packId: string, ...versions: readonly string[]): Promise<PublishAnswer[]> {
  const answers: PublishAnswer[] = [];
  for (const version of versions) {
    const bundle = aBundle(aManifest(packId, version));
    const { status, body } = await publisher.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
    expect(status).toBe(201);
    answers.push(body);
  }
  return answers;
}

function deprecate(packId: string, version: string, query: Readonly<Record<string, string>> = {}) {
  return publisher.send<VersionView>('DELETE', `/api/packs/${packId}/versions/${version}`, { query });
}

async function listed(query: Readonly<Record<string, string | boolean>> = {}): Promise<string[]> {
  return (await publisher.get<PackList>('/api/packs', query)).body.packs.map(pack => pack.packId);
}

async function versions(packId: string, query: Readonly<Record<string, string | boolean>> = {}): Promise<string[]> {
  return (await publisher.get<VersionList>(`/api/packs/${packId}/versions`, query)).body.versions.map(({ version }) => version);
}

describe('a deprecated version', () => {
  it('is gone from active queries and present under the deprecated filter, with its replacement', async () => {
    await publish('old-tool', '1.0.0', '1.1.0');
    const before = Date.now();
    const { status, body } = await deprecate('old-tool', '1.1.0', { reason: 'CVE in its parser', replacement: 'new-tool@2.0.0' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ packId: 'old-tool', version: '1.1.0', deprecated: true });
    expect(body.deprecation).toEqual({
      at: expect.any(String),
      by: `client:${publisher.tenant}-client`,
      reason: 'CVE in its parser',
      replacement: 'new-tool@2.0.0',
    });
    expect(Date.parse(body.deprecation?.at ?? '')).toBeGreaterThanOrEqual(before - 1000);
    expect(await versions('old-tool')).toEqual(['1.0.0']);
    expect(await versions('old-tool', { deprecated: true })).toEqual(['1.1.0']);
    expect((await publisher.get<PackDetail>('/api/packs/old-tool')).body.pack).toMatchObject({ version: '1.0.0', deprecated: false });
    const { body: shown } = await publisher.get<VersionList>('/api/packs/old-tool/versions', { deprecated: true });
    expect(shown.versions).toEqual([body]);
  });

  it('takes its pack out of the list once it was the last active one', async () => {
    await publish('gone-tool', '1.0.0', '2.0.0');
    await deprecate('gone-tool', '2.0.0');
    expect(await listed()).toContain('gone-tool');
    await deprecate('gone-tool', '1.0.0');
    expect(await listed()).not.toContain('gone-tool');
    expect(await listed({ deprecated: false })).not.toContain('gone-tool');
    expect(await listed({ deprecated: true })).toEqual(['gone-tool']);
    expect((await publisher.get<PackDetail>('/api/packs/gone-tool')).body.pack).toMatchObject({ version: '2.0.0', deprecated: true });
    expect((await publisher.get('/packs', { name: 'gone-tool' })).body).toEqual({ packs: [], next: null });
  });

  it('can still be fetched by its number, with its signatures', async () => {
    const bundle = aBundle(aManifest('kept-tool'));
    await publish('kept-tool', '1.0.0');
    await deprecate('kept-tool', '1.0.0');
    const fetched = await publisher.bundle('kept-tool', '1.0.0');
    expect(fetched.status).toBe(200);
    expect(fetched.bytes.equals(bundle.bytes)).toBe(true);
    expect((await publisher.get('/packs/kept-tool/1.0.0')).bytes.equals(bundle.bytes)).toBe(true);
    expect((await publisher.get('/api/packs/kept-tool/versions/1.0.0/signatures')).status).toBe(200);
    expect((await publisher.version('kept-tool', '1.0.0')).body).toMatchObject({ deprecated: true, digest: bundle.digest });
  });

  it('never frees its number', async () => {
    await publish('taken-tool', '1.0.0');
    await deprecate('taken-tool', '1.0.0');
    const other = aBundle(aManifest('taken-tool'), [{ path: 'new.txt', content: 'new' }]);
    const refused = await publisher.publish(other, { signatures: [key.sigstore(other.bytes)] });
    expect([refused.status, refused.body.code]).toEqual([409, 'ERR_PACK_VERSION_EXISTS']);
    const same = aBundle(aManifest('taken-tool'));
    const again = await publisher.publish(same, { signatures: [key.sigstore(same.bytes)] });
    expect(again.status).toBe(200);
    expect((await publisher.version('taken-tool', '1.0.0')).body).toMatchObject({ deprecated: true, digest: same.digest });
  });

  it('stays as it was deprecated first', async () => {
    await publish('twice-tool', '1.0.0');
    const first = await deprecate('twice-tool', '1.0.0', { reason: 'first', replacement: 'a' });
    const second = await deprecate('twice-tool', '1.0.0', { reason: 'second', replacement: 'b' });
    expect(second.status).toBe(200);
    expect(second.body).toEqual(first.body);
    const entries = await eventually(async () => {
      const found = await publisher.audit({ packId: 'twice-tool' });
      expect(found.map(entry => entry.type)).toContain('pack.version.deprecated');
      return found;
    });
    expect(entries.map(entry => entry.type)).toEqual(['pack.version.published', 'pack.version.deprecated']);
    expect(entries[1]).toMatchObject({
      packId: 'twice-tool',
      version: '1.0.0',
      actor: `client:${publisher.tenant}-client`,
      data: { reason: 'first', replacement: 'a', deprecatedAt: first.body.deprecation?.at },
    });
  });
});

describe('DELETE /packs/{id}/{version}', () => {
  it('deprecates as well, and answers that it is deleted', async () => {
    await publish('alias-tool', '1.0.0');
    const answer = await publisher.send('DELETE', '/packs/alias-tool/1.0.0');
    expect([answer.status, answer.body]).toEqual([200, { deleted: true }]);
    expect((await publisher.version('alias-tool', '1.0.0')).body).toMatchObject({
      deprecated: true,
      deprecation: { reason: null, replacement: null },
    });
    expect(await listed()).not.toContain('alias-tool');
  });
});

it.each(['/api/packs/none/versions/1.0.0', '/api/packs/there/versions/9.9.9', '/packs/none/1.0.0', '/packs/there/9.9.9'])(
  'deprecating what is not there answers 404: %s',
  async path => {
    if ((await publisher.get('/api/packs/there')).status === 404) await publish('there', '1.0.0');
    const { status, body } = await publisher.send('DELETE', path);
    expect([status, body['code']]).toEqual([404, 'ERR_PACK_NOT_FOUND']);
    expect(await versions('there')).toEqual(['1.0.0']);
  },
);
