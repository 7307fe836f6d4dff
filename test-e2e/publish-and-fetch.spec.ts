import type { Problem, PublishAnswer } from '@packs/contracts';
import canonicalize from 'canonicalize';
import type { Answer, Caller } from './caller';
import { aBundle, aManifest, BUNDLE_TYPE, digestOf, type Bundle, type Manifest } from './pack-bundle';
import { newTenant, Registry } from './registry';
import { SigningKey } from './signing-key';

const TYPE_OF_KIND: Readonly<Record<string, string>> = {
  TaskPack: 'task',
  PolicyPack: 'policy',
  AnalyzerPack: 'analyzer',
  BundlePack: 'bundle',
};
const key = new SigningKey('release', 'rsa-pkcs1-sha256');
let registry: Registry;
let publisher: Caller;

beforeAll(async () => {
  registry = await Registry.shared();
  publisher = await registry.caller();
  await publisher.accept(key);
});

function publish(bundle: Bundle, query: Readonly<Record<string, string>> = {}, headers: Readonly<Record<string, string>> = {}) {
  return publisher.publish(bundle, { signatures: [key.sigstore(bundle.bytes)], query, headers });
}

function jcs(value: unknown): string {
  return canonicalize(value) ?? '';
}

/** The OCI manifest as ARCHITECTURE.md describes it: nothing in it but what was signed. */
function manifestDigestOf({ bytes, manifest, digest }: Bundle): string {
  const { packId, name, version } = manifest.metadata;
  const config = Buffer.from(jcs(manifest));
  const fileName = { 'org.opencontainers.image.title': `${packId}-${version}.tar.gz` };
  const layer = { mediaType: BUNDLE_TYPE, digest, size: bytes.length, annotations: fileName };
  return digestOf(
    jcs({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/vnd.stellaops.pack.v1',
      config: { mediaType: 'application/vnd.stellaops.pack.config.v1+json', digest: digestOf(config), size: config.length },
      layers: [layer],
      annotations: {
        'org.opencontainers.image.title': name,
        'org.opencontainers.image.version': version,
        'io.stellaops.pack.metadata': jcs({ packId, type: TYPE_OF_KIND[manifest.kind], version }),
      },
    }),
  );
}

function expectedAnswer(bundle: Bundle, answer: Answer<PublishAnswer & Problem>, channel = 'edge') {
  return {
    packId: bundle.packId,
    version: bundle.version,
    tenant: publisher.tenant,
    digest: bundle.digest,
    manifestDigest: manifestDigestOf(bundle),
    size: bundle.bytes.length,
    channel,
    state: 'published',
    verdict: answer.body.verdict,
  };
}

async function expectStored(bundle: Bundle): Promise<void> {
  const found = await publisher.version(bundle.packId, bundle.version);
  expect(found.status).toBe(200);
  expect(found.body).toMatchObject({
    packId: bundle.packId,
    version: bundle.version,
    digest: bundle.digest,
    manifestDigest: manifestDigestOf(bundle),
    manifest: bundle.manifest,
  });
  const { pack } = (await publisher.get<{ pack: { name: string } }>(`/api/packs/${bundle.packId}`)).body;
  expect(pack.name).toBe(bundle.manifest.metadata.name);
  const fetched = await publisher.bundle(bundle.packId, bundle.version);
  expect(fetched.bytes.equals(bundle.bytes)).toBe(true);
}

describe('a signed pack is published by REST and stored with the right name, version and digest', () => {
  it('as multipart/form-data', async () => {
    const bundle = aBundle(aManifest('by-multipart', '1.2.3'));
    const answer = await publish(bundle);
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual(expectedAnswer(bundle, answer));
    expect(answer.headers.get('location')).toBe('/api/packs/by-multipart/versions/1.2.3');
    const located = await publisher.get(answer.headers.get('location') ?? '');
    expect(located.body).toMatchObject({ packId: 'by-multipart', version: '1.2.3', digest: bundle.digest });
    await expectStored(bundle);
  });

  it.each(['sigstore', 'dsse', 'raw'] as const)('as a raw body with a %s signature in a header', async form => {
    const bundle = aBundle(aManifest(`by-raw-body-${form}`, '2.0.0'));
    const answer = await publisher.publishRaw(bundle, key[form](bundle.bytes), { query: { digest: bundle.digest, version: '2.0.0' } });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual(expectedAnswer(bundle, answer));
    await expectStored(bundle);
  });

  it('as base64 in JSON by the alias', async () => {
    const bundle = aBundle(aManifest('by-alias', '0.1.0'));
    const { mediaType, content } = key.sigstore(bundle.bytes);
    const upload = {
      manifest: bundle.manifest,
      content: bundle.bytes.toString('base64'),
      signatures: [{ mediaType, content: content.toString('base64') }],
    };
    const answer = await publisher.send('POST', '/packs', { json: upload });
    expect([answer.status, answer.body]).toEqual([201, { packId: 'by-alias' }]);
    await expectStored(bundle);
    const again = await publisher.send('POST', '/packs', { json: upload });
    expect([again.status, again.body]).toEqual([200, { packId: 'by-alias' }]);
  });

  it('of every type, and with a semver that has pre-release and build', async () => {
    const spec = (kind: string, body: object) => aManifest(`typed-${kind.toLowerCase()}`, '1.0.0-rc.1+build.7', { kind, spec: body });
    const manifests: Manifest[] = [
      spec('TaskPack', { steps: [{ id: 'a', run: ['true'] }] }),
      spec('PolicyPack', { rules: [{ id: 'r', title: 'R', expression: 'true' }] }),
      spec('AnalyzerPack', {
        entrypoint: { runtime: 'node', file: 'a.mjs' },
        ecosystems: ['npm'],
        inputs: [{ id: 'in' }],
        outputs: [{ id: 'out', mediaType: 'application/json' }],
      }),
      spec('BundlePack', { members: [{ packId: 'typed-taskpack', version: '1.0.0-rc.1' }] }),
    ];
    for (const manifest of manifests) {
      const bundle = aBundle(manifest, [{ path: 'a.mjs', content: 'export {};\n' }]);
      const answer = await publish(bundle);
      expect(answer.body).toEqual(expectedAnswer(bundle, answer));
      expect(answer.headers.get('location')).toBe(`/api/packs/${bundle.packId}/versions/1.0.0-rc.1%2Bbuild.7`);
      await expectStored(bundle);
      expect((await publisher.version(bundle.packId, bundle.version)).body.type).toBe(TYPE_OF_KIND[manifest.kind]);
    }
  });
});

describe('the verdict that accepted it', () => {
  it('is stored with each check, and its hash is that of its canonical JSON', async () => {
    const bundle = aBundle(aManifest('judged'));
    const before = Date.now();
    const answer = await publish(bundle);
    const { hash, ...verdict } = (await publisher.version('judged', '1.0.0')).body.verdict;
    expect(hash).toBe(digestOf(jcs(verdict)));
    expect(hash).toBe(answer.body.verdict);
    const signature = digestOf(key.sigstore(bundle.bytes).content);
    const policy = { name: 'default', version: 1, rule: { keyRef: 'release' }, unsigned: 'reject' };
    expect(verdict).toEqual({
      schema: 'stellaops.io/verdict.v1',
      outcome: 'accepted',
      subject: { bundle: bundle.digest, config: digestOf(jcs(bundle.manifest)) },
      policy: { name: 'default', version: 1, digest: digestOf(jcs(policy)) },
      trust: { epoch: 1, digest: digestOf(jcs({ keys: [{ name: 'release', publicKey: key.publicKey, scheme: key.scheme }] })) },
      evidence: [signature],
      checks: [
        ...['digest', 'bundle', 'manifest', 'request'].map(id => ({ id, outcome: 'pass', reason: 'ok' })),
        { id: 'signature', outcome: 'pass', reason: 'ok', evidence: signature },
        { id: 'policy', outcome: 'pass', reason: 'ok' },
        { id: 'scan', outcome: 'skipped', reason: 'scan-not-configured', scanner: 'malware' },
        {
          id: 'scan',
          outcome: 'pass',
          reason: 'ok',
          evidence: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
          scanner: 'secrets',
        },
      ],
      identities: [{ kind: 'key', name: 'release', keyId: key.keyId, scheme: 'rsa-pkcs1-sha256', signature }],
      evaluatedAt: verdict.evaluatedAt,
    });
    expect(Math.abs(Date.parse(verdict.evaluatedAt) - before)).toBeLessThan(60_000);
  });
});

describe('channels', () => {
  it('a publish goes to edge unless it names another, and a head moves only forward', async () => {
    await publish(aBundle(aManifest('channelled', '1.0.0')));
    await publish(aBundle(aManifest('channelled', '2.0.0')), { channel: 'beta' });
    await publish(aBundle(aManifest('channelled', '0.9.0')), { channel: 'beta' });
    await publish(aBundle(aManifest('channelled', '1.1.0')));
    const { pack } = (await publisher.get<{ pack: object }>('/api/packs/channelled')).body;
    expect(pack).toMatchObject({ version: '2.0.0', channels: { edge: '1.1.0', beta: '2.0.0' } });
    const channels = async (version: string) => (await publisher.version('channelled', version)).body.channels;
    expect([await channels('1.0.0'), await channels('1.1.0'), await channels('2.0.0'), await channels('0.9.0')]).toEqual([
      [],
      ['edge'],
      ['beta'],
      [],
    ]);
  });
});

describe('a version is published once', () => {
  it('the same bundle again answers 200 with the same manifest digest and changes nothing', async () => {
    const bundle = aBundle(aManifest('repeated'));
    const first = await publish(bundle);
    const second = await publish(bundle);
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toEqual(first.body);
    expect(await publishedEvents('repeated')).toHaveLength(1);
  });

  it('another bundle under its number answers 409 and changes nothing', async () => {
    const original = aBundle(aManifest('immutable'));
    await publish(original);
    const before = (await publisher.version('immutable', '1.0.0')).body;
    const other = aBundle(aManifest('immutable'), [{ path: 'more.txt', content: 'more' }]);
    const refused = await publish(other);
    expect([refused.status, refused.body.code]).toEqual([409, 'ERR_PACK_VERSION_EXISTS']);
    expect(refused.body).toMatchObject({
      digest: original.digest,
      manifestDigest: manifestDigestOf(original),
      errors: [{ field: 'version' }],
    });
    expect((await publisher.version('immutable', '1.0.0')).body).toEqual(before);
    await expectStored(original);
    expect(await publishedEvents('immutable')).toHaveLength(1);
  });

  it('versions that differ only in build metadata are one version', async () => {
    const first = aBundle(aManifest('built', '1.0.0+a'));
    expect((await publish(first)).status).toBe(201);
    for (const version of ['1.0.0+b', '1.0.0']) {
      const refused = await publish(aBundle(aManifest('built', version)));
      expect([refused.status, refused.body.code]).toEqual([409, 'ERR_PACK_VERSION_EXISTS']);
      expect((await publisher.version('built', version)).status).toBe(404);
    }
    await expectStored(first);
  });

  it('a pack keeps its type', async () => {
    await publish(aBundle(aManifest('typed-once')));
    const policy = aManifest('typed-once', '2.0.0', { kind: 'PolicyPack', spec: { rules: [{ id: 'r', title: 'R', expression: 'true' }] } });
    const refused = await publish(aBundle(policy));
    expect([refused.status, refused.body.code]).toEqual([409, 'ERR_PACK_TYPE_CHANGED']);
    expect(refused.body.errors).toEqual([expect.objectContaining({ pointer: '/kind' })]);
  });
});

async function publishedEvents(packId: string): Promise<unknown[]> {
  return registry.sql(
    `select 1 from registry.outbox where tenant = $1 and subject = 'pack.version.published' and position($2 in encode(payload, 'escape')) > 0`,
    [publisher.tenant, `"packId":"${packId}"`],
  );
}

describe('an Idempotency-Key', () => {
  const headers = { 'idempotency-key': 'one-and-the-same' };

  it('gives the answer of the first request again', async () => {
    const bundle = aBundle(aManifest('idempotent'));
    const first = await publish(bundle, {}, headers);
    const second = await publish(bundle, {}, headers);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(await publishedEvents('idempotent')).toHaveLength(1);
  });

  it('gives a refusal again', async () => {
    const bundle = aBundle(aManifest('idempotently-refused'));
    const request = { headers: { 'idempotency-key': 'of-a-refusal' } };
    const [first, second] = [await publisher.publish(bundle, request), await publisher.publish(bundle, request)];
    expect(first.status).toBe(422);
    expect({ ...second.body, instance: '' }).toEqual({ ...first.body, instance: '' });
  });

  it('is refused for another request, which changes nothing', async () => {
    const other = aBundle(aManifest('idempotent', '2.0.0'));
    const refused = await publish(other, {}, headers);
    expect([refused.status, refused.body.code]).toEqual([422, 'ERR_PACK_IDEMPOTENCY_MISMATCH']);
    expect(refused.body.errors).toEqual([expect.objectContaining({ field: 'Idempotency-Key' })]);
    expect((await publisher.version('idempotent', '2.0.0')).status).toBe(404);
  });

  it('of one tenant means nothing to another', async () => {
    const other = await registry.caller(newTenant());
    await other.accept(key);
    const bundle = aBundle(aManifest('somebody-elses'));
    expect((await other.publish(bundle, { signatures: [key.sigstore(bundle.bytes)], headers })).status).toBe(201);
  });
});

describe('a bundle pack', () => {
  const suite = aManifest('suite', '1.0.0', {
    kind: 'BundlePack',
    dependencies: [{ packId: 'needed', version: '>=1.0.0 <2.0.0' }],
    spec: {
      members: [
        { packId: 'member-one', version: '^1.2.0' },
        { packId: 'member-two', version: '~3.1.0' },
      ],
    },
  });

  it('is refused with a pointer to each member that is missing or does not satisfy its range, and accepted once all do', async () => {
    const bundle = aBundle(suite);
    const faults = async () => {
      const { status, body } = await publish(bundle);
      return [status, body.code, body.errors?.map(fault => fault.pointer)];
    };
    expect(await faults()).toEqual([
      422,
      'ERR_PACK_DEPENDENCY',
      ['/dependencies/0/packId', '/spec/members/0/packId', '/spec/members/1/packId'],
    ]);
    await publish(aBundle(aManifest('member-one', '1.1.9')));
    await publish(aBundle(aManifest('member-two', '3.1.4')));
    await publish(aBundle(aManifest('needed', '1.5.0-rc.1')));
    expect(await faults()).toEqual([422, 'ERR_PACK_DEPENDENCY', ['/dependencies/0/version', '/spec/members/0/version']]);
    expect((await publisher.get('/api/packs/suite')).status).toBe(404);
    await publish(aBundle(aManifest('member-one', '1.2.0')));
    await publish(aBundle(aManifest('needed', '1.5.0')));
    const answer = await publish(bundle);
    expect(answer.status).toBe(201);
    await expectStored(bundle);
    expect((await publisher.version('suite', '1.0.0')).body).toMatchObject({ type: 'bundle', dependencies: suite['dependencies'] });
  });

  it('finds no member in another tenant’s namespace', async () => {
    const other = await registry.caller(newTenant());
    await other.accept(key);
    const bundle = aBundle(suite);
    const refused = await other.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
    expect([refused.status, refused.body.errors?.length]).toEqual([422, 3]);
  });

  it('finds no deprecated version', async () => {
    await publish(aBundle(aManifest('retired')));
    await publisher.send('DELETE', '/api/packs/retired/versions/1.0.0');
    const refused = await publish(aBundle(aManifest('needs-retired', '1.0.0', { dependencies: [{ packId: 'retired', version: '*' }] })));
    expect([refused.status, refused.body.code]).toEqual([422, 'ERR_PACK_DEPENDENCY']);
  });
});
