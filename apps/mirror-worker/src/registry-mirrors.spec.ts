import { DomainError, MEDIA_TYPES, sha256 } from '@packs/domain';
import { RegistryMirrorTargets, type SealOf } from '@packs/oci-layout';
import type { MirrorObject, MirrorPlace } from '@packs/ports';
import { RegistryClient } from '@packs/registry-client';
import {
  aMirroredVersion,
  describeMirrorTarget,
  type HeldRepository,
  TestOciRegistry,
  type MirrorHolder,
  type TestOciRegistryOptions,
  type TestVersion,
} from '@packs/testing';

const NOBODY: SealOf = () => Promise.resolve(null);

function targetsOf(registry: TestOciRegistry, sealOf = NOBODY): RegistryMirrorTargets {
  const client = new RegistryClient({
    registries: [registry.allowed],
    credentialsOf: () => Promise.resolve(undefined),
    pause: () => Promise.resolve(),
  });
  return new RegistryMirrorTargets(client, sealOf);
}

/** A mirror in a registry of its own. */
class RegistryHolder implements MirrorHolder {
  private constructor(
    readonly registry: TestOciRegistry,
    readonly targets: RegistryMirrorTargets,
  ) {}

  static async start(options: TestOciRegistryOptions): Promise<RegistryHolder> {
    const registry = await TestOciRegistry.start(options);
    return new RegistryHolder(registry, targetsOf(registry));
  }

  place(tenant = 'acme', name = 'north'): MirrorPlace {
    return { tenant, kind: 'registry', location: `${this.registry.host}/${name}/${tenant}` };
  }

  held(packId = 'hello') {
    return this.registry.repository(`north/acme/${packId}`);
  }

  alter = ({ digest, size }: MirrorObject): Promise<void> => Promise.resolve(void this.held().blobs.set(digest, Buffer.alloc(size, '!')));
  shorten = ({ digest }: MirrorObject): Promise<void> => Promise.resolve(void this.held().blobs.set(digest, Buffer.from('short')));
  remove = ({ digest }: MirrorObject): Promise<void> => Promise.resolve(void this.held().blobs.delete(digest));
  lists = ({ path }: MirrorObject): boolean => path.includes('/tags/');
  end = (): Promise<void> => this.registry.stop();

  async damageState(): Promise<void> {
    const { tags, manifests } = this.registry.repository('north/acme/mirror--state');
    manifests.set(tags.get('state') ?? '', { mediaType: MEDIA_TYPES.ociManifest, bytes: Buffer.from('{"schemaVersion":') });
  }

  async strew(): Promise<string> {
    const bytes = Buffer.from('{"artifactType":"application/vnd.somebody"}');
    this.held().manifests.set(sha256(bytes), { mediaType: MEDIA_TYPES.ociManifest, bytes });
    this.held().tags.set('somebody', sha256(bytes));
    return 'hello/tags/somebody';
  }

  async names(): Promise<string[]> {
    const repositories = [...this.registry.repositories].filter(([name]) => !name.includes('--'));
    return repositories.flatMap(([name, { blobs, manifests, tags }]) =>
      [...blobs.keys(), ...manifests.keys(), ...tags.keys()].map(one => `${name} ${one}`),
    );
  }
}

describeMirrorTarget('registry with a referrers API', () => RegistryHolder.start({ referrersApi: true, tagDeletes: true }));
describeMirrorTarget('registry without one', () => RegistryHolder.start({}));

/** But lists of referrers, of which older ones stay without a tag. */
const manifestsOf = ({ manifests }: HeldRepository): string[] =>
  [...manifests].filter(([, { mediaType }]) => mediaType === MEDIA_TYPES.ociManifest).map(([digest]) => digest);

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => (error instanceof DomainError ? [error.code, error.retry] : error),
  );

async function copy(
  holder: RegistryHolder,
  versions: readonly TestVersion[],
  channels: readonly { version: string; channel: string }[] = [],
) {
  const target = await holder.targets.open(holder.place());
  for (const { mirrored, content } of versions) {
    for (const object of target.objectsOf(mirrored).toSorted((a, b) => a.wave - b.wave)) {
      await target.write(
        object,
        (async function* () {
          yield content.get(object.digest) ?? Buffer.alloc(0);
        })(),
      );
    }
  }
  const state = {
    schema: 'stellaops.io/mirror-state.v1' as const,
    tenant: 'acme',
    versions: versions.map(({ mirrored }) => mirrored),
    channels: channels.map(head => ({ ...head, packId: 'hello' })),
    withdrawn: [],
  };
  await (await target.stage(state)).commit();
  return { target, state };
}

describe.each([true, false])('a mirror in a registry (referrers API: %s)', referrersApi => {
  let holder: RegistryHolder;
  const [one, two] = [aMirroredVersion(), aMirroredVersion({ version: '1.1.0+linux' })];
  beforeEach(async () => {
    holder = await RegistryHolder.start({ referrersApi });
  });
  afterEach(() => holder.end());

  it('has each version under its tag, and the heads of channels under theirs', async () => {
    const head = (version: string, channel: string) => ({ version, channel });
    const heads = [head('1.0.0', 'stable'), head('1.1.0+linux', 'edge'), head('1.1.0+linux', '2.0.0'), head('1.0.0', 'sha256-x')];
    await copy(holder, [one, two], heads);
    const tags = Object.fromEntries([...holder.held().tags].filter(([tag]) => !/^sha256-[0-9a-f]{64}$/.test(tag)));
    const [first, second] = [one.mirrored.manifest.digest, two.mirrored.manifest.digest];
    expect(tags).toEqual({ '1.0.0': first, '1.1.0_linux': second, stable: first, edge: second });
    await copy(holder, [one, two], [head('1.0.0', 'edge')]);
    expect(holder.held().tags.get('edge')).toBe(first);
  });

  it('moves no tag of a channel and shows no state before it is told to', async () => {
    await copy(holder, [one, two], [{ version: '1.0.0', channel: 'edge' }]);
    const target = await holder.targets.open(holder.place());
    const state = { ...(await target.state()), channels: [{ packId: 'hello', channel: 'edge', version: '1.1.0+linux' }] };
    const staged = await target.stage(state as never);
    expect(holder.held().tags.get('edge')).toBe(one.mirrored.manifest.digest);
    holder.registry.requests.length = 0;
    await staged.commit();
    expect(holder.registry.requests.map(line => line.replace(/.*\//, ''))).toEqual(['edge', 'state']);
  });

  it('leaves channels to a registry that moves their tags itself, and says so', async () => {
    const denied = JSON.stringify({ errors: [{ code: 'DENIED', detail: { code: 'ERR_OCI_TAG_PROTECTED' } }] });
    holder.registry.intervene(/^PUT .*hello\/manifests\/edge/, (_, response) => void response.writeHead(403).end(denied));
    const heads = [{ version: '1.1.0+linux', channel: 'edge' }];
    const { state } = await copy(holder, [one, two], heads);
    holder.held().tags.set('edge', one.mirrored.manifest.digest);
    const { manifests, tags } = holder.registry.repository('north/acme/mirror--state');
    expect(JSON.parse(String(manifests.get(tags.get('state') ?? '')?.bytes))).toMatchObject({
      annotations: { 'io.stellaops.mirror.channels': 'left-to-registry' },
    });
    holder.registry.requests.length = 0;
    const { target } = await copy(holder, [one, two], heads);
    await target.prune(state);
    expect(holder.registry.requests.filter(line => line.endsWith('/manifests/edge'))).toEqual([]);
    const reader = await holder.targets.open(holder.place());
    expect(await reader.state()).toEqual(state);
    const files: string[] = [];
    for await (const path of reader.files()) files.push(path);
    expect([files.toSorted(), reader.pointersOf(two.mirrored, ['edge'])]).toEqual([['hello/tags/1.0.0', 'hello/tags/1.1.0_linux'], []]);
  });

  it('does not take any other refusal for that', async () => {
    const denied = JSON.stringify({ errors: [{ code: 'DENIED' }] });
    holder.registry.intervene(/^PUT .*hello\/manifests\/edge/, (_, response) => void response.writeHead(403).end(denied), 9);
    const copying = copy(holder, [one, two], [{ version: '1.1.0+linux', channel: 'edge' }]);
    expect(await codeOf(copying)).toEqual(['ERR_MIRROR_TARGET_UNWRITABLE', 'later']);
  });

  it.each<[string, (bench: RegistryHolder) => void, string]>([
    ['its tag', ({ registry }) => registry.repository('north/acme/hello').tags.delete('1.0.0'), 'absent'],
    [
      'the tag, moved',
      ({ registry }) => registry.repository('north/acme/hello').tags.set('1.0.0', two.mirrored.manifest.digest),
      'different',
    ],
    ['its manifest', ({ registry }) => registry.repository('north/acme/hello').manifests.delete(one.mirrored.manifest.digest), 'absent'],
    [
      'a signature',
      ({ registry }) => registry.repository('north/acme/hello').manifests.delete(one.mirrored.referrers[0]?.manifest.digest ?? ''),
      'absent',
    ],
  ])('is seen to lack %s', async (_, damage, likeness) => {
    const { target } = await copy(holder, [one, two]);
    damage(holder);
    const looks = await Promise.all(target.objectsOf(one.mirrored).map(object => target.look(object)));
    expect(new Set(looks)).toEqual(new Set(['alike', likeness]));
  });

  it('is rid of an attestation that is withdrawn, and of nothing else that refers to its version', async () => {
    const { target, state } = await copy(holder, [one]);
    const [signature, attestation] = one.mirrored.referrers;
    if (!signature || !attestation) throw new Error('a version without referrers');
    const without = { ...one.mirrored, referrers: [signature], withdrawn: [attestation.manifest.digest] };
    const later = { ...state, versions: [without] };
    await (await target.stage(later)).commit();
    const [blob] = target.objectsOf(one.mirrored).filter(({ digest }) => digest === attestation.blobs[0]?.digest);
    const [listed] = target.objectsOf(one.mirrored).filter(({ digest }) => digest === attestation.manifest.digest);
    expect((await target.prune(later)).toSorted()).toEqual([blob?.path, listed?.path].toSorted());
    const looks = await Promise.all(target.objectsOf(without).map(object => target.look(object)));
    expect(new Set(looks)).toEqual(new Set(['alike']));
    expect(manifestsOf(holder.held())).not.toContain(attestation.manifest.digest);
  });

  it('is rid of all that belongs to a version it shows no more, also of a pack it shows nothing of', async () => {
    const other = aMirroredVersion({ packId: 'other' });
    await copy(holder, [one, two, other], [{ version: '1.1.0+linux', channel: 'edge' }]);
    const { target, state } = await copy(holder, [one]);
    await target.prune(state);
    expect([manifestsOf(holder.held('other')), holder.held('other').tags.size]).toEqual([[], 0]);
    const left = [one.mirrored.manifest, ...one.mirrored.referrers.map(({ manifest }) => manifest)].map(({ digest }) => digest as string);
    const listing = [...holder.held().tags.keys()].filter(tag => tag.startsWith('sha256-'));
    expect([...holder.held().tags.keys()].filter(tag => !tag.startsWith('sha256-'))).toEqual(['1.0.0']);
    expect(listing.length).toBe(referrersApi ? 0 : 1);
    expect(new Set(manifestsOf(holder.held()))).toEqual(new Set(left));
    expect([...holder.held().blobs.keys()]).not.toContain(two.mirrored.bundle.digest);
  });
});

describe('the place of a mirror in a registry', () => {
  let holder: RegistryHolder;
  beforeEach(async () => {
    holder = await RegistryHolder.start({});
  });
  afterEach(() => holder.end());
  const open = (location: string) => holder.targets.open({ tenant: 'acme', kind: 'registry', location });

  it.each([
    '',
    'acme',
    '/acme',
    '%h',
    '%h/',
    '%h/globex',
    '%h/acme/globex',
    '%h/../acme',
    '%h/A/acme',
    '%h//acme',
    'user:secret@%h/acme',
    'http://%h/acme',
    '%h/acme?x=1',
    '%h/acme:tag',
  ])('is not %j', async location => {
    expect(await codeOf(open(location.replace('%h', holder.registry.host)))).toEqual(['ERR_MIRROR_TARGET_INVALID', 'never']);
  });

  it('is at no registry that nobody may connect to', async () => {
    expect(await codeOf(open('elsewhere.example/acme'))).toEqual(['ERR_MIRROR_TARGET_INVALID', 'never']);
  });

  it('is not connected to while the tenant is sealed', async () => {
    const sealOf: SealOf = tenant => Promise.resolve(tenant === 'acme' ? 'api' : null);
    const targets = targetsOf(holder.registry, sealOf);
    expect(await codeOf(targets.open(holder.place()))).toEqual(['ERR_PACK_SEALED', 'never']);
    await (await targets.open(holder.place('globex'))).prepare();
    expect(holder.registry.requests).toEqual(['GET /v2/']);
  });
});

describe('a registry that does not do its part', () => {
  let holder: RegistryHolder;
  const version = aMirroredVersion();
  beforeEach(async () => {
    holder = await RegistryHolder.start({});
  });
  afterEach(() => holder.end());

  it.each([
    [403, 'ERR_MIRROR_TARGET_UNWRITABLE'],
    [401, 'ERR_MIRROR_TARGET_UNWRITABLE'],
    [405, 'ERR_MIRROR_TARGET_UNWRITABLE'],
    [507, 'ERR_MIRROR_TARGET_FULL'],
    [413, 'ERR_MIRROR_TARGET_FULL'],
    [503, 'ERR_MIRROR_TARGET_UNAVAILABLE'],
  ])('and answers %d makes a sync fail with %s, to be tried again', async (status, code) => {
    holder.registry.intervene(/^POST .*uploads/, (_, response) => void response.writeHead(status).end(), 20);
    expect(await codeOf(copy(holder, [version]))).toEqual([code, 'later']);
  });

  it('and does not delete makes it fail, rather than go on showing what is withdrawn', async () => {
    const { target, state } = await copy(holder, [version]);
    holder.registry.intervene(/^DELETE .*manifests/, (_, response) => void response.writeHead(405).end(), 20);
    expect(await codeOf(target.prune({ ...state, versions: [] }))).toEqual(['ERR_MIRROR_TARGET_UNWRITABLE', 'later']);
  });

  it('and keeps altered bytes under their digest is found out', async () => {
    const { target } = await copy(holder, [version]);
    const bundle = target.objectsOf(version.mirrored).find(({ digest }) => digest === version.mirrored.bundle.digest);
    if (!bundle) throw new Error('no bundle');
    await holder.alter(bundle);
    // As registries do that look whether they have a digest before they take its bytes.
    holder.registry.intervene(/^PUT .*uploads/, (_, response) => void response.writeHead(201).end());
    const right = (async function* () {
      yield version.content.get(bundle.digest) ?? Buffer.alloc(0);
    })();
    expect(await codeOf(target.write(bundle, right))).toEqual(['ERR_MIRROR_CORRUPT', 'later']);
  });
});
