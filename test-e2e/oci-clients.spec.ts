import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Caller } from './caller';
import { CuttingProxy } from './cutting-proxy';
import { clients, OciClient } from './oci-client';
import { digestOf, tar } from './pack-bundle';
import { Registry } from './registry';

const MIB = 1024 * 1024;
const CLIENT = 'acme-publisher';
const PLAIN = '--plain-http';
const INSECURE = '--insecure';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

jest.setTimeout(180_000);

let registry: Registry;
let owner: Caller;
let client: OciClient;
let space: string;

beforeAll(async () => {
  registry = await Registry.shared();
  owner = await registry.caller();
  client = new OciClient(registry.gatewayUrl).loggedIn(owner.token ?? '');
  space = `${client.host}/${owner.tenant}`;
});
afterAll(() => client.end());

const linesOf = (text: string): string[] => text.split('\n').filter(Boolean).toSorted();

/** An image of one layer, made by crane. */
async function anImage(name: string, bytes = randomBytes(2_000), by = client): Promise<string> {
  by.write('layer.tar', tar([{ path: 'file', content: bytes }]));
  await by.ok('crane', 'append', INSECURE, '-f', 'layer.tar', '-t', name);
  return by.ok('crane', 'digest', INSECURE, name);
}

describe('a client and its secret', () => {
  const secret = () => readFileSync(registry.secretFile(CLIENT), 'utf8').trim();
  const login: Readonly<Record<'oras' | 'crane' | 'regctl' | 'helm' | 'skopeo' | 'cosign', (host: string) => readonly string[]>> = {
    oras: host => ['login', PLAIN, '-u', CLIENT, '--password-stdin', host],
    crane: host => ['auth', 'login', INSECURE, '-u', CLIENT, '--password-stdin', host],
    regctl: host => ['registry', 'login', '-u', CLIENT, '--pass-stdin', host],
    helm: host => ['registry', 'login', PLAIN, '-u', CLIENT, '--password-stdin', host],
    skopeo: host => ['login', '--tls-verify=false', '-u', CLIENT, '--password-stdin', host],
    cosign: host => ['login', '-u', CLIENT, '--password-stdin', host],
  };
  for (const name of ['oras', 'crane', 'regctl', 'helm', 'skopeo', 'cosign'] as const) {
    const { suite, note } = clients(name);
    suite(`${name}${note}`, () => {
      // Two of them only write down what they are given.
      const asks = name !== 'crane' && name !== 'cosign';
      it(`log in${asks ? ', and nobody else does' : ''}`, async () => {
        const somebody = new OciClient(registry.gatewayUrl);
        const run = (password: string) => somebody.run(name, login[name](somebody.host), password);
        if (asks) expect((await run('wrong')).code).not.toBe(0);
        expect(await run(secret())).toMatchObject({ code: 0 });
        somebody.end();
      });
    });
  }

  const { suite, note } = clients('oras');
  suite(`oras${note}`, () => {
    it('push and pull in the tenant’s namespace', async () => {
      const somebody = new OciClient(registry.gatewayUrl).loggedIn(secret(), CLIENT);
      const name = `${somebody.host}/acme/files/by-secret-${Date.now()}`;
      somebody.write('file.txt', 'hello');
      await somebody.ok('oras', 'push', PLAIN, `${name}:v1`, 'file.txt');
      await somebody.ok('oras', 'pull', PLAIN, '-o', 'pulled', `${name}:v1`);
      expect(somebody.read('pulled/file.txt').toString()).toBe('hello');
      somebody.end();
    });
  });
});

const oras = clients('oras');
oras.suite(`generic content by oras${oras.note}`, () => {
  it('is pushed under several tags, tagged, listed, and deleted', async () => {
    const name = `${space}/files/notes`;
    client.write('notes.txt', 'some notes');
    await client.ok('oras', 'push', PLAIN, `${name}:v1,v2`, 'notes.txt');
    await client.ok('oras', 'tag', PLAIN, `${name}:v1`, 'latest');
    expect(linesOf(await client.ok('oras', 'repo', 'tags', PLAIN, name))).toEqual(['latest', 'v1', 'v2']);
    expect(linesOf(await client.ok('oras', 'repo', 'ls', PLAIN, client.host))).toContain(`${owner.tenant}/files/notes`);
    const digest = await client.ok('oras', 'resolve', PLAIN, `${name}:latest`);
    await client.ok('oras', 'manifest', 'delete', PLAIN, '-f', `${name}@${digest}`);
    expect(await client.refused('oras', 'resolve', PLAIN, `${name}:v1`)).toContain('not found');
    expect(await client.ok('oras', 'repo', 'tags', PLAIN, name)).toBe('');
  });

  it('has what is attached to it, also after a copy within the registry', async () => {
    const [name, copy] = [`${space}/files/report`, `${space}/files/copied`];
    client.write('report.txt', 'a report');
    client.write('sbom.json', '{}');
    await client.ok('oras', 'push', PLAIN, '--artifact-type', 'application/x.report', `${name}:v1`, 'report.txt');
    await client.ok('oras', 'attach', PLAIN, '--artifact-type', 'application/spdx+json', `${name}:v1`, 'sbom.json');
    await client.ok('oras', 'cp', '-r', '--from-plain-http', '--to-plain-http', `${name}:v1`, `${copy}:v1`);
    const { referrers } = await client.json<{ referrers: object[] }>('oras', 'discover', PLAIN, '--format', 'json', `${copy}:v1`);
    expect(referrers).toMatchObject([{ artifactType: 'application/spdx+json' }]);
  });
});

const crane = clients('crane', 'skopeo', 'regctl');
crane.suite(`an image by crane, skopeo and regctl${crane.note}`, () => {
  it('is pushed, copied, pulled and listed by crane', async () => {
    const name = `${space}/images/tool`;
    const digest = await anImage(`${name}:1`);
    await client.ok('crane', 'copy', INSECURE, `${name}:1`, `${space}/images/copied:1`);
    await client.ok('crane', 'pull', INSECURE, '--format=oci', `${name}@${digest}`, 'pulled-image');
    await client.ok('crane', 'push', INSECURE, 'pulled-image', `${name}:2`);
    expect(linesOf(await client.ok('crane', 'ls', INSECURE, name))).toEqual(['1', '2']);
    for (const reference of [`${name}:2`, `${space}/images/copied:1`]) {
      expect(await client.ok('crane', 'digest', INSECURE, reference)).toBe(digest);
    }
    await client.ok('crane', 'validate', INSECURE, '--remote', `${name}:2`);
  });

  it('is copied to a layout and back, inspected, listed and deleted by skopeo', async () => {
    const name = `docker://${space}/images/by-skopeo`;
    const digest = await anImage(`${space}/images/source:1`);
    await client.ok('skopeo', 'copy', '--src-tls-verify=false', `docker://${space}/images/source:1`, 'oci:skopeo:1');
    await client.ok('skopeo', 'copy', '--dest-tls-verify=false', '--preserve-digests', 'oci:skopeo:1', `${name}:1`);
    const raw = await client.run('skopeo', ['inspect', '--raw', '--tls-verify=false', `${name}:1`]);
    const layout = JSON.parse(client.read('skopeo/index.json').toString()) as { manifests: { digest: string }[] };
    expect([digestOf(raw.stdout)]).toEqual(layout.manifests.map(one => one.digest));
    expect(digest).toMatch(/^sha256:/);
    expect(await client.json('skopeo', 'list-tags', '--tls-verify=false', name)).toMatchObject({ Tags: ['1'] });
    await client.ok('skopeo', 'delete', '--tls-verify=false', `${name}:1`);
    expect(await client.refused('skopeo', 'inspect', '--tls-verify=false', `${name}:1`)).toContain('manifest unknown');
  });

  it('is copied with its referrers, listed and shown as a tree by regctl', async () => {
    const [name, copy] = [`${space}/images/described`, `${space}/images/by-regctl`];
    const digest = await anImage(`${name}:1`);
    client.write('sbom.json', '{}');
    await client.ok('regctl', 'artifact', 'put', '--artifact-type', 'application/spdx+json', '--subject', `${name}:1`, '-f', 'sbom.json');
    await client.ok('regctl', 'image', 'copy', '--referrers', `${name}:1`, `${copy}:1`);
    expect(await client.ok('regctl', 'tag', 'ls', copy)).toBe('1');
    const tree = await client.ok('regctl', 'artifact', 'tree', `${copy}:1`);
    expect([tree.includes(digest), tree.includes('application/spdx+json')]).toEqual([true, true]);
    await client.ok('regctl', 'tag', 'delete', `${copy}:1`);
    expect(await client.ok('regctl', 'tag', 'ls', copy)).toBe('');
  });
});

const helm = clients('helm');
helm.suite(`a chart by helm${helm.note}`, () => {
  it('is pushed and pulled', async () => {
    client.write('demo/Chart.yaml', 'apiVersion: v2\nname: demo\nversion: 0.1.0+build.5\n');
    client.write('demo/templates/map.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: demo }\n');
    await client.ok('helm', 'package', 'demo');
    await client.ok('helm', 'push', PLAIN, 'demo-0.1.0+build.5.tgz', `oci://${space}/charts`);
    await client.ok('helm', 'pull', PLAIN, `oci://${space}/charts/demo`, '--version', '0.1.0+build.5', '-d', client.folder + '/demo');
    expect(client.read('demo/demo-0.1.0+build.5.tgz').equals(client.read('demo-0.1.0+build.5.tgz'))).toBe(true);
    expect(await client.ok('helm', 'show', 'chart', PLAIN, `oci://${space}/charts/demo`)).toContain('name: demo');
  });
});

const some = clients('oras', 'crane', 'regctl', 'helm', 'skopeo');
some.suite(`clients of others${some.note}`, () => {
  const refusals = (by: OciClient, name: string): readonly Promise<string>[] => {
    by.write('x.txt', 'x');
    return [
      by.refused('oras', 'pull', PLAIN, `${name}:1`),
      by.refused('oras', 'push', PLAIN, `${name}:2`, 'x.txt'),
      by.refused('crane', 'digest', INSECURE, `${name}:1`),
      by.refused('crane', 'tag', INSECURE, `${name}:1`, '2'),
      by.refused('skopeo', 'inspect', '--tls-verify=false', `docker://${name}:1`),
      by.refused('regctl', 'image', 'digest', `${name}:1`),
      by.refused('regctl', 'tag', 'delete', `${name}:1`),
      by.refused('helm', 'pull', PLAIN, `oci://${name}`, '--version', '1'),
    ];
  };

  it('pull and push nothing, whether they are of another tenant or of none, until it is public', async () => {
    const name = `${space}/images/private`;
    const digest = await anImage(`${name}:1`);
    const stranger = new OciClient(registry.gatewayUrl).loggedIn((await registry.caller()).token ?? '');
    const nobody = new OciClient(registry.gatewayUrl);
    for (const by of [stranger, nobody]) {
      for (const [at, said] of (await Promise.all(refusals(by, name))).entries()) {
        expect([at, said]).toEqual([at, expect.stringMatching(/not found|unknown|denied|forbidden|unauthorized|authentication required/i)]);
        expect(said).not.toContain(digest);
      }
    }
    expect((await owner.put('/api/visibility', { shareWith: [], publicRead: true })).status).toBe(200);
    for (const by of [stranger, nobody]) {
      expect(await by.ok('crane', 'digest', INSECURE, `${name}:1`)).toBe(digest);
      await by.ok('oras', 'cp', '--from-plain-http', `${name}:1`, '--to-oci-layout', 'public:1');
      await by.refused('oras', 'push', PLAIN, `${name}:2`, 'x.txt');
    }
    expect((await owner.put('/api/visibility', { shareWith: [], publicRead: true, pullByDigestOnly: true })).status).toBe(200);
    for (const by of [stranger, nobody]) {
      expect(await by.refused('oras', 'pull', PLAIN, `${name}:1`)).toContain('by digest');
      await by.ok('oras', 'cp', '--from-plain-http', `${name}@${digest}`, '--to-oci-layout', 'by-digest:1');
      by.end();
    }
    expect(await client.ok('crane', 'ls', INSECURE, name)).toBe('1');
    await owner.put('/api/visibility', { shareWith: [] });
  });
});

const resuming = clients('regctl');
resuming.suite(`a connection that breaks below regctl${resuming.note}`, () => {
  it('costs it no more than the rest of its upload', async () => {
    const proxy = await CuttingProxy.start(registry.gatewayUrl);
    const bytes = randomBytes(6 * MIB);
    const through = new OciClient(proxy.url).loggedIn(owner.token ?? '');
    through.write('blob', bytes);
    const name = `${through.host}/${owner.tenant}/files/cut`;
    const settings = { tls: 'disabled', hostname: through.host, blobChunk: MIB, blobMax: MIB };
    through.write('.regctl/config.json', JSON.stringify({ hosts: { [through.host]: settings } }));
    // Each connection dies in the middle of a chunk, until the upload is done.
    proxy.cutAfter = { up: 2.5 * MIB };
    const { code, stderr } = await through.run('regctl', ['blob', 'put', name, '--content-type', LAYER], bytes);
    expect([code, stderr]).toEqual([0, expect.anything()]);
    const head = await owner.send('HEAD', `/v2/${owner.tenant}/files/cut/blobs/${digestOf(bytes)}`);
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
    expect(proxy.cuts).toBeGreaterThan(0);
    await proxy.close();
    through.end();
  });
});
