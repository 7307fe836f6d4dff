import type { PackDetail, PackList, PackSummary, PackView, VersionList, VersionSummary } from '@packs/contracts';
import type { Caller } from './caller';
import { aBundle, aManifest, digestOf, type Bundle } from './pack-bundle';
import { Registry } from './registry';
import { SigningKey } from './signing-key';

const key = new SigningKey('release');
const rule = { rules: [{ id: 'r', title: 'R', expression: 'true' }] };
const baseline = aBundle(
  aManifest('policy-baseline', '2.1.0', {
    kind: 'PolicyPack',
    spec: rule,
    metadata: {
      name: 'Baseline Security Policy',
      description: 'Standard security policy pack',
      author: 'stellaops',
      tags: ['security', 'baseline'],
      license: 'Apache-2.0',
      annotations: { team: 'core' },
    },
    dependencies: [{ packId: 'alpha', version: '^1.0.0' }],
    compatibility: { cli: '>=1.0.0', runner: { minRunnerVersion: '1.5.0', range: '<3.0.0' } },
  }),
);
const alphas = ['1.0.0', '1.0.0-rc.2', '1.0.0-rc.10', '1.10.0', '1.9.0', '2.0.0-beta.1'].map(version =>
  aBundle(aManifest('alpha', version, { metadata: { tags: ['first'] } })),
);
const others = ['beta', 'delta', 'gamma', 'gamma.two'].map(packId => aBundle(aManifest(packId)));
let publisher: Caller;
let reader: Caller;

beforeAll(async () => {
  const registry = await Registry.shared();
  publisher = await registry.caller();
  reader = await registry.caller(publisher.tenant, 'packs.read');
  await publisher.accept(key);
  for (const bundle of alphas) await put(bundle);
  await put(baseline, 'stable');
  await publisher.put('/api/channels/nightly', {});
  for (const bundle of others) await put(bundle, bundle.packId === 'beta' ? 'nightly' : 'edge');
});

async function put(bundle: Bundle, channel = 'edge'): Promise<void> {
  const { status, body } = await publisher.publish(bundle, { signatures: [key.sigstore(bundle.bytes)], query: { channel } });
  expect([status, body.code]).toEqual([201, undefined]);
}

async function found(query: Readonly<Record<string, string | number | boolean>>): Promise<string[]> {
  const { status, body } = await reader.get<PackList>('/api/packs', query);
  expect(status).toBe(200);
  return body.packs.map(pack => pack.packId);
}

const BASELINE: Omit<PackView, 'publishedAt' | 'manifestDigest'> = {
  packId: 'policy-baseline',
  tenant: '',
  version: '2.1.0',
  type: 'policy',
  name: 'Baseline Security Policy',
  description: 'Standard security policy pack',
  digest: baseline.digest,
  size: baseline.bytes.length,
  author: 'stellaops',
  tags: ['security', 'baseline'],
  channels: { stable: '2.1.0' },
  deprecated: false,
  lifecycle: 'active',
  dependencies: [{ packId: 'alpha', version: '^1.0.0' }],
  metadata: { minRunnerVersion: '1.5.0', license: 'Apache-2.0', annotations: { team: 'core' } },
};

describe('a pack is shown', () => {
  const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
  const DIGEST = /^sha256:[0-9a-f]{64}$/;

  it('with the fields of a pack and no others', async () => {
    const { pack } = (await reader.get<PackDetail>('/api/packs/policy-baseline')).body;
    const { publishedAt, manifestDigest, ...rest } = pack;
    expect(rest).toEqual({ ...BASELINE, tenant: reader.tenant });
    expect(publishedAt).toMatch(TIME);
    expect(manifestDigest).toMatch(DIGEST);
    const { packs } = (await reader.get<PackList>('/api/packs', { name: 'baseline' })).body;
    expect(packs).toEqual([pack]);
    expect((await reader.get<PackDetail>('/packs/policy-baseline')).body).toEqual({ pack });
  });

  it('by the alias as a summary, without dependencies and metadata', async () => {
    const { packs } = (await reader.get<{ packs: PackSummary[] }>('/packs', { type: 'policy' })).body;
    const { packId, version, type, name, description, digest, size, author } = BASELINE;
    expect(packs).toEqual([{ packId, version, type, name, description, digest, size, author, publishedAt: expect.stringMatching(TIME) }]);
  });

  it('as its newest release, not as a pre-release', async () => {
    expect((await reader.get<PackDetail>('/api/packs/alpha')).body.pack).toMatchObject({
      version: '1.10.0',
      channels: { edge: '2.0.0-beta.1' },
    });
  });

  it('with everything that is known about a version', async () => {
    const { body } = await reader.version('policy-baseline', '2.1.0');
    const { publishedAt, manifestDigest, verdict, ...rest } = body;
    expect(rest).toEqual({
      packId: 'policy-baseline',
      tenant: reader.tenant,
      version: '2.1.0',
      type: 'policy',
      digest: baseline.digest,
      size: baseline.bytes.length,
      publishedBy: `client:${publisher.tenant}-client`,
      channels: ['stable'],
      lifecycle: 'active',
      archival: null,
      withdrawal: null,
      deprecated: false,
      deprecation: null,
      tenantVisibility: [],
      compatibility: { cli: '>=1.0.0', runner: { minRunnerVersion: '1.5.0', range: '<3.0.0' } },
      dependencies: [{ packId: 'alpha', version: '^1.0.0' }],
      provenance: { attestations: [], source: 'node' },
      manifest: baseline.manifest,
      signatures: [
        {
          digest: expect.stringMatching(DIGEST),
          mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
          size: expect.any(Number),
          keyName: 'release',
          keyId: key.keyId,
          scheme: key.scheme,
        },
      ],
    });
    expect([publishedAt, manifestDigest, verdict.outcome]).toEqual([
      expect.stringMatching(TIME),
      expect.stringMatching(DIGEST),
      'accepted',
    ]);
    const { versions } = (await reader.get<VersionList>('/api/packs/policy-baseline/versions')).body;
    expect(versions).toEqual([body]);
  });

  it('in the short form of versions by the alias', async () => {
    const { versions } = (await reader.get<{ versions: VersionSummary[] }>('/packs/policy-baseline/versions')).body;
    const { digest, size } = BASELINE;
    expect(versions).toEqual([{ version: '2.1.0', digest, size, publishedAt: expect.stringMatching(TIME), deprecated: false }]);
  });
});

describe('packs are found', () => {
  const all = ['alpha', 'beta', 'delta', 'gamma', 'gamma.two', 'policy-baseline'];

  it.each<[string, Record<string, string | number | boolean>, string[]]>([
    ['all, in order', {}, all],
    ['by a part of the packId', { name: 'amm' }, ['gamma', 'gamma.two']],
    ['by a part of the display name, in any case', { name: 'SECURITY pol' }, ['policy-baseline']],
    ['by a name with a pattern character, taken literally', { name: '%' }, []],
    ['by tag', { tag: 'baseline' }, ['policy-baseline']],
    ['by a tag that only older versions lack', { tag: 'first' }, ['alpha']],
    ['by part of a tag: not', { tag: 'base' }, []],
    ['by type', { type: 'policy' }, ['policy-baseline']],
    ['by channel', { channel: 'nightly' }, ['beta']],
    ['by a channel nobody uses', { channel: 'lts' }, []],
    ['by several filters at once', { channel: 'edge', name: 'gamma.', type: 'task' }, ['gamma.two']],
    ['that are deprecated: none', { deprecated: true }, []],
    ['that are not deprecated', { deprecated: false }, all],
  ])('%s', async (_, query, expected) => {
    expect(await found(query)).toEqual(expected);
  });

  it('in the caller’s own namespace when it is named, and nowhere in another’s', async () => {
    expect(await found({ tenant: reader.tenant })).toEqual(all);
    expect(await found({ namespace: reader.tenant })).toEqual(all);
    expect(await found({ tenant: 'nobody' })).toEqual([]);
  });

  it('page by page, each once and in order, whatever the size of a page', async () => {
    for (const limit of [1, 2, 4, 6, 200]) {
      const pages: string[][] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const query: Record<string, string | number> = cursor === '' ? { limit } : { limit, cursor };
        const { packs, next } = (await reader.get<PackList>('/api/packs', query)).body;
        pages.push(packs.map(pack => pack.packId));
        cursor = next;
      }
      expect(pages.flat()).toEqual(all);
      expect(pages).toHaveLength(Math.ceil(all.length / limit));
    }
  });

  it('on the next page although the pack the cursor names changed meanwhile', async () => {
    const { next } = (await reader.get<PackList>('/api/packs', { limit: 3 })).body;
    await put(aBundle(aManifest('charlie')));
    expect(await found({ limit: 200, cursor: next ?? '' })).toEqual(all.slice(3));
    expect(await found({})).toContain('charlie');
  });
});

describe('versions of a pack', () => {
  const sorted = ['2.0.0-beta.1', '1.10.0', '1.9.0', '1.0.0', '1.0.0-rc.10', '1.0.0-rc.2'];

  it('come newest first by SemVer precedence, page by page', async () => {
    for (const limit of [1, 4, 100]) {
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const query: Record<string, string | number> = cursor === '' ? { limit } : { limit, cursor };
        const { versions, next } = (await reader.get<VersionList>('/api/packs/alpha/versions', query)).body;
        expect(versions.length).toBeLessThanOrEqual(limit);
        seen.push(...versions.map(({ version }) => version));
        cursor = next;
      }
      expect(seen).toEqual(sorted);
    }
  });

  it('carry the digest of their own bundle', async () => {
    const { versions } = (await reader.get<VersionList>('/api/packs/alpha/versions')).body;
    expect(new Map(versions.map(({ version, digest }) => [version, digest]))).toEqual(
      new Map(alphas.map(({ version, bytes }) => [version, digestOf(bytes)])),
    );
  });

  it('of a pack that is not there: 404', async () => {
    for (const path of ['/api/packs/none/versions', '/packs/none/versions', '/api/packs/none', '/packs/none']) {
      const { status, body } = await reader.get(path);
      expect([status, body.code]).toEqual([404, 'ERR_PACK_NOT_FOUND']);
    }
  });
});
