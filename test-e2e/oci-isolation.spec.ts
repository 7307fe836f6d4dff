import { randomBytes } from 'node:crypto';
import type { Answer, Caller } from './caller';
import { aBundle, aManifest, digestOf } from './pack-bundle';
import { newTenant, Registry } from './registry';
import { SigningKey } from './signing-key';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
/** What differs between any two answers. */
const OF_ITS_OWN: readonly string[] = ['date', 'docker-upload-uuid'];
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

jest.setTimeout(120_000);

/** What a request names. */
interface Aim {
  readonly namespace: string;
  readonly repository: string;
  readonly tag: string;
  readonly manifest: string;
  readonly blob: string;
  readonly upload: string;
}

interface Probe {
  readonly name: string;
  readonly method: string;
  readonly path: (aim: Aim) => string;
  readonly headers?: (aim: Aim) => Readonly<Record<string, string>>;
  readonly body?: string;
}

const at = (aim: Aim, rest: string): string => `/v2/${aim.namespace}/${aim.repository}/${rest}`;
const READS: readonly Probe[] = ['GET', 'HEAD'].flatMap(method => [
  { name: `${method} manifest by tag`, method, path: aim => at(aim, `manifests/${aim.tag}`) },
  { name: `${method} manifest by digest`, method, path: aim => at(aim, `manifests/${aim.manifest}`) },
  {
    name: `${method} manifest one has`,
    method,
    path: aim => at(aim, `manifests/${aim.tag}`),
    headers: aim => ({ 'if-none-match': `"${aim.manifest}"` }),
  },
  { name: `${method} blob`, method, path: aim => at(aim, `blobs/${aim.blob}`) },
  {
    name: `${method} blob one has`,
    method,
    path: aim => at(aim, `blobs/${aim.blob}`),
    headers: aim => ({ 'if-none-match': `"${aim.blob}"` }),
  },
]);
const LISTS: readonly Probe[] = [
  { name: 'part of a blob', method: 'GET', path: aim => at(aim, `blobs/${aim.blob}`), headers: () => ({ range: 'bytes=0-9' }) },
  { name: 'part outside of a blob', method: 'GET', path: aim => at(aim, `blobs/${aim.blob}`), headers: () => ({ range: 'bytes=99999-' }) },
  { name: 'manifest as a blob', method: 'GET', path: aim => at(aim, `blobs/${aim.manifest}`) },
  { name: 'referrers', method: 'GET', path: aim => at(aim, `referrers/${aim.manifest}`) },
  { name: 'referrers of a type', method: 'GET', path: aim => at(aim, `referrers/${aim.manifest}?artifactType=application/spdx%2Bjson`) },
  { name: 'tags', method: 'GET', path: aim => at(aim, 'tags/list') },
  { name: 'a page of tags', method: 'GET', path: aim => at(aim, 'tags/list?n=1&last=a') },
];
const WRITES: readonly Probe[] = [
  { name: 'begin an upload', method: 'POST', path: aim => at(aim, 'blobs/uploads/') },
  { name: 'mount', method: 'POST', path: aim => at(aim, `blobs/uploads/?mount=${aim.blob}&from=${aim.namespace}/${aim.repository}`) },
  { name: 'status of an upload', method: 'GET', path: aim => at(aim, `blobs/uploads/${aim.upload}`) },
  { name: 'go on with an upload', method: 'PATCH', path: aim => at(aim, `blobs/uploads/${aim.upload}`), body: 'x' },
  { name: 'finish an upload', method: 'PUT', path: aim => at(aim, `blobs/uploads/${aim.upload}?digest=${aim.blob}`) },
  { name: 'cancel an upload', method: 'DELETE', path: aim => at(aim, `blobs/uploads/${aim.upload}`) },
  { name: 'put a manifest', method: 'PUT', path: aim => at(aim, `manifests/${aim.tag}`), body: '{}' },
  { name: 'delete a tag', method: 'DELETE', path: aim => at(aim, `manifests/${aim.tag}`) },
  { name: 'delete a manifest', method: 'DELETE', path: aim => at(aim, `manifests/${aim.manifest}`) },
  { name: 'delete a blob', method: 'DELETE', path: aim => at(aim, `blobs/${aim.blob}`) },
];

function named(name: string): Probe {
  const probe = [...READS, ...LISTS, ...WRITES].find(one => one.name === name);
  if (!probe) throw new Error(`there is no probe ${name}`);
  return probe;
}

const key = new SigningKey('release');
let registry: Registry;
let owner: Caller;
let stranger: Caller;
let blob: Buffer;
/** What is there, of another tenant: in a generic repository, a published version of a pack, and one that waits for its signature. */
let foreign: readonly Aim[];
let absent: readonly Aim[];

beforeAll(async () => {
  registry = await Registry.shared();
  [owner, stranger] = await Promise.all([registry.caller(), registry.caller()]);
  blob = randomBytes(3_000);
  await owner.trust(key);
  await owner.put('/api/policies/default', { rule: { keyRef: 'release' } });
  foreign = [await aGenericRepository(), await aPublishedPack('tool', '1.0.0'), await aPendingPack()];
  // The stranger has the very same bytes: they are stored once.
  expect(await push(stranger, 'team/app', blob)).toBe(digestOf(blob));
  const nothing = { tag: 'v9', manifest: aDigest(), blob: aDigest(), upload: crypto.randomUUID() };
  const [generic] = foreign as [Aim];
  absent = [
    { ...generic, ...nothing },
    { ...generic, ...nothing, repository: 'team/none' },
    { ...nothing, namespace: newTenant(), repository: 'team/app' },
    // Bytes that are known, in a place that is not.
    { ...generic, namespace: newTenant() },
  ];
});

const aDigest = (): string => digestOf(randomBytes(8));

async function push(by: Caller, repository: string, bytes: Uint8Array): Promise<string> {
  const digest = digestOf(bytes);
  const { status } = await by.send('POST', `/v2/${by.tenant}/${repository}/blobs/uploads/`, { query: { digest }, body: bytes });
  expect(status).toBe(201);
  return digest;
}

async function anUpload(repository: string): Promise<string> {
  const { headers } = await owner.send('POST', `/v2/${owner.tenant}/${repository}/blobs/uploads/`);
  return headers.get('location')?.split('/').at(-1) ?? '';
}

async function put(repository: string, tag: string, manifest: object): Promise<string> {
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, ...manifest });
  const answer = await owner.send('PUT', `/v2/${owner.tenant}/${repository}/manifests/${tag}`, {
    headers: { 'content-type': MANIFEST },
    body,
  });
  expect([answer.status, answer.body]).toEqual([201, null]);
  return digestOf(body);
}

async function aGenericRepository(): Promise<Aim> {
  const repository = 'team/app';
  const config = { mediaType: 'application/x.config', digest: await push(owner, repository, Buffer.from('{}')), size: 2 };
  const layer = { mediaType: 'application/x.layer', digest: await push(owner, repository, blob), size: blob.length };
  const manifest = await put(repository, 'v1', { config, layers: [layer] });
  const subject = { mediaType: MANIFEST, digest: manifest, size: 1 };
  await put(repository, 'sbom', { artifactType: 'application/spdx+json', config, layers: [], subject });
  return { namespace: owner.tenant, repository, tag: 'v1', manifest, blob: layer.digest, upload: await anUpload(repository) };
}

async function aPublishedPack(packId: string, version: string, tenantVisibility: readonly string[] = []): Promise<Aim> {
  const bundle = aBundle(aManifest(packId, version, { metadata: { tenantVisibility } }));
  const { status, body } = await owner.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] });
  expect(status).toBe(201);
  const manifest = body.manifestDigest;
  return { namespace: owner.tenant, repository: packId, tag: version, manifest, blob: bundle.digest, upload: await anUpload(packId) };
}

async function aPendingPack(): Promise<Aim> {
  const bundle = aBundle(aManifest('waiting', '1.0.0'));
  const { status, body } = await owner.publish(bundle);
  expect(status).toBe(202);
  const manifest = body.manifestDigest;
  return { namespace: owner.tenant, repository: 'waiting', tag: '1.0.0', manifest, blob: bundle.digest, upload: await anUpload('waiting') };
}

const send = (by: Caller, { method, path, headers, body }: Probe, aim: Aim): Promise<Answer> =>
  by.send(method, path(aim), { ...(headers && { headers: headers(aim) }), ...(body !== undefined && { body }) });

/** An answer without what its request said and without what no two have in common. */
function shapeOf({ status, headers, bytes }: Answer, aim: Aim): object {
  const names = [aim.manifest, aim.blob, `${aim.namespace}/${aim.repository}`, aim.namespace, aim.upload];
  const neutral = (text: string): string => names.reduce((rest, name) => rest.replaceAll(name, '*'), text).replaceAll(UUID, '*');
  const told = [...headers].filter(([name]) => !OF_ITS_OWN.includes(name));
  return { status, headers: told.map(([name, value]) => [name, neutral(value)]), body: neutral(bytes.toString()) };
}

/** Of a registry's token, as clients have them; undefined: of nobody. */
async function withRegistryToken(by: Caller | undefined, aims: readonly Aim[], actions = 'pull,push,delete'): Promise<Caller> {
  const url = new URL('/token?service=packs-registry', registry.gatewayUrl);
  const names = new Set(aims.map(aim => `${aim.namespace}/${aim.repository}`));
  for (const name of names) url.searchParams.append('scope', `repository:${name}:${actions}`);
  const response = await fetch(url, { headers: by ? { authorization: `Bearer ${by.token}` } : {} });
  const { token } = (await response.json()) as { token?: unknown };
  expect([response.status, typeof token]).toEqual([200, 'string']);
  return stranger.withToken(String(token));
}

type Who = 'with a token of the Authority' | 'with a token of the registry' | 'of nobody';

function callerFor(who: Who, aims: readonly Aim[]): Promise<Caller> {
  if (who === 'with a token of the Authority') return Promise.resolve(stranger);
  return withRegistryToken(who === 'of nobody' ? undefined : stranger, aims);
}

/** Nobody in particular is sent for a token; a name is enough to know who may write there; of the rest nothing is to be found. */
function refusal(who: Who, probe: Probe): number {
  if (who === 'of nobody') return 401;
  // Of what is not there, too, a list that is empty (distribution-spec "Listing Referrers").
  if (probe.name.startsWith('referrers')) return 200;
  return WRITES.includes(probe) ? 403 : 404;
}

describe.each<Who>(['with a token of the Authority', 'with a token of the registry', 'of nobody'])('to a caller %s', who => {
  it.each([...READS, ...LISTS, ...WRITES].map(probe => [probe.name, probe] as const))(
    'what is another tenant’s and what is not there answer alike: %s',
    async (_, probe) => {
      const aims = [...absent, ...foreign];
      const caller = await callerFor(who, aims);
      const shapes: object[] = [];
      for (const aim of aims) shapes.push(shapeOf(await send(caller, probe, aim), aim));
      for (const [index, shape] of shapes.entries()) expect([index, shape]).toEqual([index, shapes[0]]);
      const status = refusal(who, probe);
      expect(shapes[0]).toMatchObject({ status, ...(status === 200 && { body: expect.stringContaining('"manifests":[]') as string }) });
    },
  );
});

describe('the same requests', () => {
  it('find all of it for its owner', async () => {
    for (const aim of foreign) {
      for (const probe of READS)
        expect([probe.name, (await send(owner, probe, aim)).status]).toEqual([probe.name, probe.headers ? 304 : 200]);
      expect((await send(owner, named('tags'), aim)).body).toMatchObject({ tags: expect.arrayContaining([aim.tag]) as string[] });
      expect((await send(owner, named('status of an upload'), aim)).status).toBe(204);
    }
  });

  it('find the stranger’s own copy of the bytes, which are stored once', async () => {
    const [generic] = foreign as [Aim];
    const own = await stranger.get(`/v2/${stranger.tenant}/team/app/blobs/${generic.blob}`);
    expect([own.status, own.bytes.equals(blob)]).toEqual([200, true]);
    expect(await registry.sql('select 1 from content.blobs where digest = $1', [generic.blob])).toHaveLength(1);
  });
});

describe('a repository of which another tenant sees one version', () => {
  let friend: Caller;
  let seen: Aim;
  let hidden: Aim;
  beforeAll(async () => {
    friend = await registry.caller();
    await owner.put('/api/visibility', { shareWith: [friend.tenant] });
    seen = await aPublishedPack('shared', '1.0.0', [friend.tenant]);
    hidden = await aPublishedPack('shared', '2.0.0');
  });

  it('shows that one, and of the other nothing but what is shown of one that is not there', async () => {
    for (const probe of READS)
      expect([probe.name, (await send(friend, probe, seen)).status]).toEqual([probe.name, probe.headers ? 304 : 200]);
    const none = { ...seen, tag: '9.0.0', manifest: aDigest(), blob: aDigest() };
    // The channel's tag leads to the version that is hidden.
    const aims = [none, hidden, { ...none, tag: 'edge' }, { ...hidden, tag: 'edge' }];
    for (const probe of [...READS, ...LISTS]) {
      const shapes: object[] = [];
      for (const aim of aims) shapes.push(shapeOf(await send(friend, probe, aim), aim));
      for (const shape of shapes) expect([probe.name, shape]).toEqual([probe.name, shapes[0]]);
    }
    expect((await friend.get(`/v2/${owner.tenant}/shared/tags/list`)).body).toMatchObject({ tags: ['1.0.0'] });
    expect((await owner.get(`/v2/${owner.tenant}/shared/tags/list`)).body).toMatchObject({ tags: ['1.0.0', '2.0.0', 'edge'] });
  });
});

describe('a version that waits for its signature', () => {
  it('is not there for those of its tenant who only read, and is for a writer with a token for reading', async () => {
    const [, , waiting] = foreign as [Aim, Aim, Aim];
    const reader = await registry.caller(owner.tenant, 'packs.read');
    const none = { ...waiting, tag: '9.0.0', manifest: aDigest(), blob: aDigest() };
    for (const probe of READS) {
      const [there, not] = [await send(reader, probe, waiting), await send(reader, probe, none)];
      expect([probe.name, shapeOf(there, waiting)]).toEqual([probe.name, shapeOf(not, none)]);
      expect(not.status).toBe(404);
    }
    const pulling = await withRegistryToken(owner, [waiting], 'pull');
    const answer = await pulling.get(`/v2/${owner.tenant}/waiting/manifests/1.0.0`);
    expect([answer.status, answer.headers.get('stella-pack-state')]).toEqual([200, 'pending']);
    expect((await pulling.send('POST', `/v2/${owner.tenant}/waiting/blobs/uploads/`)).status).toBe(401);
  });
});

describe('a mount into one’s own repository', () => {
  const mount = async (query: string, aim: Aim): Promise<object> => {
    const answer = await stranger.send('POST', `/v2/${stranger.tenant}/mounting/blobs/uploads/?mount=${query}`);
    return shapeOf(answer, aim);
  };

  it('takes nothing of another tenant, named or not, and does not tell whether it is there', async () => {
    const shapes: object[] = [];
    for (const aim of [...absent, ...foreign]) shapes.push(await mount(`${aim.blob}&from=${aim.namespace}/${aim.repository}`, aim));
    // The bundle of the pack is nowhere in the stranger's namespace.
    for (const aim of [absent[0], foreign[1]] as [Aim, Aim]) shapes.push(await mount(aim.blob, aim));
    for (const [index, shape] of shapes.entries()) expect([index, shape]).toEqual([index, shapes[0]]);
    expect(shapes[0]).toMatchObject({ status: 202 });
    for (const { blob: digest } of foreign) {
      expect((await stranger.send('HEAD', `/v2/${stranger.tenant}/mounting/blobs/${digest}`)).status).toBe(404);
    }
  });

  it('takes what the stranger has, wherever else it is', async () => {
    const [generic] = foreign as [Aim];
    expect(await mount(generic.blob, generic)).toMatchObject({ status: 201 });
  });
});

describe('the catalog', () => {
  it('lists the caller’s own repositories, from wherever it is asked to go on', async () => {
    const { tenant } = stranger;
    const [generic] = foreign as [Aim];
    for (const query of ['', `?last=${generic.namespace}/${generic.repository}`, `?last=${newTenant()}/team/app`]) {
      const { body } = await stranger.get<{ repositories: string[] }>(`/v2/_catalog${query}`);
      expect([query, body.repositories.filter(name => !name.startsWith(`${tenant}/`))]).toEqual([query, []]);
    }
    const { body } = await owner.get<{ repositories: string[] }>('/v2/_catalog');
    expect(body.repositories).toEqual(['shared', 'team/app', 'tool', 'waiting'].map(name => `${owner.tenant}/${name}`));
  });
});
