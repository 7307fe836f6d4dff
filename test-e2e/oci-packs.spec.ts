import type { AttestationList } from '@packs/contracts';
import canonicalize from 'canonicalize';
import type { Caller } from './caller';
import { CommandLine } from './command-line';
import { clients, OciClient } from './oci-client';
import { aBundle, aManifest, BUNDLE_TYPE, digestOf, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const PACK = 'application/vnd.stellaops.pack.v1';
const CONFIG = 'application/vnd.stellaops.pack.config.v1+json';
const PLAIN = '--plain-http';
/** By key alone: neither a transparency log nor the network that it needs. */
const OFFLINE = ['--allow-http-registry', '--use-signing-config=false', '--tlog-upload=false', '--yes'];
const VERIFY = ['--allow-http-registry', '--insecure-ignore-tlog=true', '--key', 'release.pub'];
const { suite, note } = clients('oras', 'cosign', 'skopeo');

jest.setTimeout(180_000);

let registry: Registry;
let owner: Caller;
let client: OciClient;
let repository: string;

beforeAll(async () => {
  registry = await Registry.shared();
  owner = await registry.caller();
  client = new OciClient(registry.gatewayUrl).loggedIn(owner.token ?? '');
  repository = `${client.host}/${owner.tenant}/hello`;
  for (const name of ['release', 'stranger']) await client.ok('cosign', 'generate-key-pair', '--output-key-prefix', name);
  const publicKey = client.read('release.pub').toString();
  expect((await owner.put('/api/trust', { keys: [{ name: 'release', publicKey, scheme: 'ecdsa-p256-sha256' }] })).status).toBe(200);
  expect((await owner.put('/api/policies/default', { rule: { keyRef: 'release' } })).status).toBe(200);
});
afterAll(() => client.end());

const bundleOf = (version: string) => aBundle(aManifest('hello', version));
const stateOf = async (reference: string) => {
  const { status, headers } = await owner.send('HEAD', `/v2/${owner.tenant}/hello/manifests/${reference}`);
  return status === 200 ? headers.get('stella-pack-state') : status;
};
const resolve = (reference: string) => client.ok('oras', 'resolve', PLAIN, `${repository}:${reference}`);
const sign = (digest: string, key = 'release', ...more: readonly string[]) =>
  client.ok('cosign', 'sign', ...OFFLINE, ...more, '--key', `${key}.key`, `${repository}@${digest}`);
const attest = (digest: string, ...more: readonly string[]) => {
  const predicate = client.write('predicate.json', JSON.stringify({ buildDefinition: { buildType: 'https://example.test/build' } }));
  const what = ['--type', 'slsaprovenance1', '--predicate', predicate];
  return client.ok('cosign', 'attest', ...OFFLINE, ...more, '--key', 'release.key', ...what, `${repository}@${digest}`);
};
const attestations = async (version: string) =>
  (await owner.get<AttestationList>(`/api/packs/hello/versions/${version}/attestations`)).body.attestations;

/** As docs/oci.md says. */
async function push(bundle: Bundle): Promise<string> {
  client.write('config.json', canonicalize(bundle.manifest) ?? '');
  client.write('bundle.tgz', bundle.bytes);
  const config = ['--config', `config.json:${CONFIG}`];
  await client.ok(
    'oras',
    'push',
    PLAIN,
    '--artifact-type',
    PACK,
    ...config,
    `${repository}:${bundle.version}`,
    `bundle.tgz:${BUNDLE_TYPE}`,
  );
  return resolve(bundle.version);
}

async function referrersOf(reference: string, by = client): Promise<string[]> {
  const { referrers } = await by.json<{ referrers: { artifactType: string }[] }>('oras', 'discover', PLAIN, '--format', 'json', reference);
  return referrers.map(({ artifactType }) => artifactType);
}

suite(`a pack that oras pushes${note}`, () => {
  it('is pushed by oras, waits for its signature, and is published by cosign sign', async () => {
    const bundle = bundleOf('1.0.0');
    const digest = await push(bundle);
    expect(await stateOf('1.0.0')).toBe('pending');
    expect((await owner.version('hello', '1.0.0')).status).toBe(404);
    await sign(digest, 'stranger');
    expect(await stateOf('1.0.0')).toBe('pending');
    await sign(digest);
    expect(await stateOf('1.0.0')).toBe('published');
    const { body } = await owner.version('hello', '1.0.0');
    expect(body).toMatchObject({ digest: bundle.digest, manifestDigest: digest, signatures: [{ keyName: 'release' }] });
    await client.ok('cosign', 'verify', ...VERIFY, `${repository}@${digest}`);
    expect((await owner.bundle('hello', '1.0.0')).bytes.equals(bundle.bytes)).toBe(true);
  });

  it('is what stella builds, pushed as docs/oci.md says', async () => {
    client.write('my-pack/pack.yaml', JSON.stringify(aManifest('hello', '1.0.1')));
    const [pack, bundle, config] = ['my-pack', 'built.tgz', 'built.json'].map(name => `${client.folder}/${name}`) as [
      string,
      string,
      string,
    ];
    const built = await new CommandLine().json<{ digest: string }>('pack', 'build', pack, '-o', bundle, '--config', config);
    const types = ['--artifact-type', PACK, '--config', `built.json:${CONFIG}`];
    await client.ok('oras', 'push', PLAIN, ...types, `${repository}:1.0.1`, `built.tgz:${BUNDLE_TYPE}`);
    await sign(await resolve('1.0.1'));
    expect((await owner.version('hello', '1.0.1')).body).toMatchObject({ digest: built.digest });
  });

  it('is attested by cosign attest, which counts as an attestation', async () => {
    const digest = await push(bundleOf('1.1.0'));
    await sign(digest);
    await attest(digest);
    const types = ['--type', 'slsaprovenance1'];
    await client.ok('cosign', 'verify-attestation', ...VERIFY, ...types, `${repository}@${digest}`);
    expect(await attestations('1.1.0')).toMatchObject([
      { predicateType: 'https://slsa.dev/provenance/v1', signers: [{ name: 'release' }] },
    ]);
  });

  it.each([
    ['before', '1.2.0'],
    ['after', '1.2.1'],
  ])('takes what cosign 2 writes under its tags, its attestation %s its signature', async (order, version) => {
    const old = '--new-bundle-format=false';
    const digest = await push(bundleOf(version));
    if (order === 'before') await attest(digest, old);
    expect(await stateOf(version)).toBe('pending');
    await sign(digest, 'release', old);
    expect(await stateOf(version)).toBe('published');
    if (order === 'after') await attest(digest, old);
    await client.ok('cosign', 'verify', old, ...VERIFY, `${repository}@${digest}`);
    await client.ok('cosign', 'verify-attestation', old, ...VERIFY, '--type', 'slsaprovenance1', `${repository}@${digest}`);
    expect(await attestations(version)).toMatchObject([{ signers: [{ name: 'release' }] }]);
    const tags = (await client.ok('oras', 'repo', 'tags', PLAIN, repository)).split('\n');
    for (const kind of ['sig', 'att']) expect(tags).toContain(`${digest.replace(':', '-')}.${kind}`);
  });
});

suite(`a pack on its way between registries and layouts${note}`, () => {
  it('comes back as it went, alone or with all that refers to it, by way of a layout', async () => {
    const bundle = bundleOf('1.3.0');
    const digest = await push(bundle);
    await sign(digest);
    client.write('sbom.json', '{"spdxVersion":"SPDX-2.3"}');
    await client.ok('oras', 'attach', PLAIN, '--artifact-type', 'application/spdx+json', `${repository}@${digest}`, 'sbom.json');
    await client.ok('oras', 'pull', PLAIN, '-o', 'pulled', `${repository}:1.3.0`);
    expect(client.read('pulled/bundle.tgz').equals(bundle.bytes)).toBe(true);
    const found = await referrersOf(`${repository}@${digest}`);
    expect(found).toContain('application/spdx+json');
    expect(found).toHaveLength(2);
    await client.ok('oras', 'cp', '-r', '--from-plain-http', `${repository}:1.3.0`, '--to-oci-layout', 'layout:1.3.0');
    await client.ok('oras', 'cp', '-r', '--from-oci-layout', 'layout:1.3.0', '--to-plain-http', `${repository}:1.3.0`);
    expect(await resolve('1.3.0')).toBe(digest);
    expect((await referrersOf(`${repository}@${digest}`)).toSorted()).toEqual(found.toSorted());
  });

  it('goes with its signature to another tenant by oras cp, who judges it anew', async () => {
    const digest = await push(bundleOf('1.4.0'));
    await sign(digest);
    await client.ok('oras', 'cp', '-r', '--from-plain-http', `${repository}:1.4.0`, '--to-oci-layout', 'carried:1.4.0');
    const other = await registry.caller();
    const publicKey = client.read('release.pub').toString();
    await other.put('/api/trust', { keys: [{ name: 'theirs', publicKey, scheme: 'ecdsa-p256-sha256' }] });
    await other.put('/api/policies/default', { rule: { keyRef: 'theirs' } });
    const theirs = new OciClient(registry.gatewayUrl).loggedIn(other.token ?? '');
    const layout = `${client.folder}/carried:1.4.0`;
    await theirs.ok('oras', 'cp', '-r', '--from-oci-layout', layout, '--to-plain-http', `${client.host}/${other.tenant}/hello:1.4.0`);
    theirs.end();
    expect((await other.version('hello', '1.4.0')).body).toMatchObject({ manifestDigest: digest, signatures: [{ keyName: 'theirs' }] });
  });

  it('that was published by REST has the same digests for oras and skopeo', async () => {
    const key = new SigningKey('ci');
    const tenant = await registry.caller();
    await tenant.accept(key);
    const bundle = bundleOf('2.0.0+linux');
    const published = await tenant.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
    expect(published.status).toBe(201);
    const theirs = new OciClient(registry.gatewayUrl).loggedIn(tenant.token ?? '');
    const name = `${client.host}/${tenant.tenant}/hello`;
    expect(await theirs.ok('oras', 'resolve', PLAIN, `${name}:2.0.0_linux`)).toBe(published.body.manifestDigest);
    expect(await theirs.ok('oras', 'repo', 'tags', PLAIN, name)).toBe('2.0.0_linux\nedge');
    await theirs.ok('oras', 'pull', PLAIN, '-o', 'pulled', `${name}:2.0.0_linux`);
    expect(digestOf(theirs.read('pulled/hello-2.0.0+linux.tar.gz'))).toBe(bundle.digest);
    const { mediaType, content } = key.dsse(bundle.bytes);
    const attestations = '/api/packs/hello/versions/2.0.0+linux/attestations';
    const attested = await tenant.send('POST', attestations, { body: content, headers: { 'content-type': mediaType } });
    expect(attested.status).toBe(201);
    expect(await referrersOf(`${name}:2.0.0_linux`, theirs)).toHaveLength(2);
    await theirs.ok('oras', 'cp', '-r', '--from-plain-http', `${name}:2.0.0_linux`, '--to-oci-layout', 'whole:2');
    await theirs.ok('skopeo', 'copy', '--src-tls-verify=false', `docker://${name}:2.0.0_linux`, 'oci:layout:2');
    const index = JSON.parse(theirs.read('layout/index.json').toString()) as { manifests: { digest: string }[] };
    expect(index.manifests.map(({ digest }) => digest)).toEqual([published.body.manifestDigest]);
    expect(digestOf(theirs.read(`layout/blobs/${bundle.digest.replace(':', '/')}`))).toBe(bundle.digest);
    theirs.end();
  });
});

suite(`a pack’s repository${note}`, () => {
  it('that is deprecated is pulled with a warning', async () => {
    const digest = await push(bundleOf('1.5.0'));
    await sign(digest);
    await client.ok('oras', 'manifest', 'delete', PLAIN, '-f', `${repository}@${digest}`);
    const { headers } = await owner.get(`/v2/${owner.tenant}/hello/manifests/1.5.0`);
    expect(headers.get('warning')).toMatch(/^299 - "hello 1\.5\.0 is deprecated/);
    const { code, stderr } = await client.run('oras', ['pull', PLAIN, '-o', 'deprecated', `${repository}:1.5.0`]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('hello 1.5.0 is deprecated')]);
  });

  it('that is not one is refused, and tags of versions and channels are not the client’s to move', async () => {
    const digest = await push(bundleOf('1.6.0'));
    expect(await client.refused('oras', 'push', PLAIN, `${repository}:1.7.0`, 'bundle.tgz')).toContain('manifest invalid');
    for (const tag of ['edge', '1.0.0', 'latest']) {
      expect([tag, await client.refused('oras', 'tag', PLAIN, `${repository}@${digest}`, tag)]).toEqual([
        tag,
        expect.stringContaining('denied'),
      ]);
    }
  });
});
