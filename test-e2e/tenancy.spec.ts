import type { AuditEntryView, PackList, PublishAnswer, VersionList } from '@packs/contracts';
import { aRootKey, aTrustBundle, eventually } from '@packs/testing';
import { apiRoutes, ask, type Route, type Target } from './api-routes';
import type { Answer, Caller } from './caller';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import { newTenant, Registry } from './registry';
import { SigningKey } from './signing-key';

let registry: Registry;

beforeAll(async () => {
  registry = await Registry.shared();
});

function publish(caller: Caller, key: SigningKey, bundle: Bundle, channel = 'edge') {
  return caller.publish(bundle, { signatures: [key.sigstore(bundle.bytes)], query: { channel } });
}

describe('to another tenant what exists is as if it did not', () => {
  const PACK = 'crown-jewels';
  /** Trust, policy, version, mirror, channel, exporters, trust bundle. */
  const OWNERS_CHANGES = 7;
  const ownersKey = new SigningKey('owners-key');
  const bundle = aBundle(aManifest(PACK, '1.0.0', { metadata: { name: 'Project Nightfall', tags: ['nightfall'] } }));
  const strangersKey = new SigningKey('strangers-key');
  const strangersBundle = aBundle(aManifest(PACK, '1.0.0'), [{ path: 'strange.txt', content: 'strange' }]);
  // Made once: a signature is another one each time it is made.
  const strangersDocuments = {
    signature: strangersKey.sigstore(strangersBundle.bytes),
    attestation: strangersKey.dsse(strangersBundle.bytes),
  };
  const owner = newTenant();
  const deadLetter = `01NIGHTFALL${owner.toUpperCase()}`;
  let routes: readonly Route[];
  let before: Readonly<Record<string, string>>;
  let secrets: readonly string[];

  /** The answers a fresh tenant gets to every route, aimed at the owner's pack in every way the route offers. */
  async function answersToStranger(): Promise<Record<string, string>> {
    const stranger = await registry.caller();
    const target: Target = {
      packId: PACK,
      version: '1.0.0',
      deadLetter,
      bundle: strangersBundle,
      ...strangersDocuments,
      key: strangersKey,
    };
    const found: Record<string, string> = {};
    for (const route of routes) {
      const ways = [{}, ...route.queries.filter(name => name === 'namespace' || name === 'tenant').map(name => ({ [name]: owner }))];
      for (const query of ways) {
        const answer = await ask(stranger, route, target, query);
        found[`${route.method} ${route.path} ${JSON.stringify(query)}`] = shown(answer, stranger.tenant);
      }
    }
    return found;
  }

  /** An answer without what differs each time: who asks, when, the request's id, and hashes over a time. */
  function shown({ status, headers, bytes }: Answer, tenant: string): string {
    const kept = [...headers].filter(([name]) => !['date', 'content-length', 'connection', 'keep-alive'].includes(name));
    return (
      [status, JSON.stringify(kept), bytes.toString('latin1')]
        .join('\n')
        .replaceAll(tenant, '<tenant>')
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
        .replace(/"instance":"[^"]+"/, '"instance":"<id>"')
        // How far work in the background is at that moment.
        .replace(/"state":"(?:queued|running)"|"attempts":\d+|"startedAt":(?:null|"<time>")|"(?:events|applied)":\d+/g, '<progress>')
        .replace(/("(?:verdict|hash)":)"sha256:\w+"/g, '$1"<hash over a time>"')
        .replace(/evt_\w{26}/g, '<event>')
        .replace(/\b(?:[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/g, '<made id>')
    );
  }

  beforeAll(async () => {
    routes = await apiRoutes(registry.gatewayUrl);
    before = await answersToStranger();
    const admin = await registry.caller(owner);
    await admin.accept(ownersKey);
    const { manifestDigest, verdict } = (await publish(admin, ownersKey, bundle)).body;
    await registry.sql(
      `insert into compliance.dead_letters (id, consumer, tenant, subject, payload_hash, payload, reason, attempts)
       values ($1, 'compliance-audit', $2, 'pack.nightfall', $1, 'nightfall', 'nightfall', 1)`,
      [deadLetter, owner],
    );
    // Not enabled, so that nothing is copied and the log stays as it is.
    const mirror = { name: 'nightfall', kind: 'directory', location: 'nightfall', enabled: false };
    expect((await admin.send('POST', '/api/mirrors', { json: mirror })).status).toBe(201);
    expect((await admin.put('/api/channels/nightfall', { description: 'Nightfall' })).status).toBe(200);
    const { name, publicKey, scheme } = ownersKey;
    expect((await admin.put('/api/exporters', { keys: [{ name, publicKey, scheme }] })).status).toBe(200);
    const times = { validFrom: '2020-01-01T00:00:00Z', validUntil: '2120-01-01T00:00:00Z' };
    const trusted = { keys: [{ name, publicKey, scheme }] };
    const trustBundle = aTrustBundle({ tenant: owner, root: [aRootKey('nightfall')], material: trusted, ...times });
    expect((await admin.put('/api/trust/bundle', JSON.parse(trustBundle.toString()))).status).toBe(200);
    await eventually(async () => expect(await admin.audit()).toHaveLength(OWNERS_CHANGES));
    expect((await admin.get<{ deadLetters: object[] }>('/api/dead-letters')).body.deadLetters).toHaveLength(1);
    const signature = ownersKey.sigstore(bundle.bytes).content.toString('base64').slice(0, 40);
    secrets = [bundle.digest, manifestDigest, verdict, ownersKey.keyId, 'ightfall', `${owner}-client`, 'owners-key', signature];
  });

  it('every route answers as it did before anything was there, byte for byte', async () => {
    const after = await answersToStranger();
    expect(Object.keys(after).length).toBeGreaterThan(routes.length);
    expect(after).toEqual(before);
  });

  it('no route shows anything of it', async () => {
    const after = await answersToStranger();
    const leaks = Object.entries(after).filter(([, answer]) => secrets.some(secret => answer.includes(secret)));
    expect(leaks).toEqual([]);
  });

  it('but the owner is answered otherwise, so that the comparison means something', async () => {
    const admin = await registry.caller(owner);
    const target: Target = {
      packId: PACK,
      version: '1.0.0',
      deadLetter,
      bundle,
      signature: ownersKey.sigstore(bundle.bytes),
      attestation: ownersKey.dsse(bundle.bytes),
      key: ownersKey,
    };
    const reads = routes.filter(({ method, scope }) => method === 'GET' && scope !== undefined);
    const same: string[] = [];
    for (const route of reads) {
      if (shown(await ask(admin, route, target), owner) === before[`GET ${route.path} {}`]) same.push(route.operationId);
    }
    // What the owner has none of either, and what goes by an id the registry makes.
    expect(same.toSorted()).toEqual(
      [
        ...['downloadKit', 'downloadKitSignature', 'getExport', 'getImport', 'getMirror', 'getMirrorJob'],
        ...['getParityCheck', 'getScanning', 'getScanReport', 'getScrub', 'getSealed', 'getVisibility', 'listMirrorJobs'],
      ].toSorted(),
    );
  });

  it('nothing a stranger did has touched it', async () => {
    const admin = await registry.caller(owner);
    expect((await admin.version(PACK, '1.0.0')).body).toMatchObject({ digest: bundle.digest, deprecated: false });
    expect((await admin.bundle(PACK, '1.0.0')).bytes.equals(bundle.bytes)).toBe(true);
    // The owner had asked for every route: that evidence was given out to it is written down.
    await eventually(async () => {
      const looked = { type: 'pack.evidence.exported', actor: `client:${owner}-client` };
      expect((await admin.audit()).slice(OWNERS_CHANGES)).toMatchObject([looked]);
    });
    expect((await admin.get('/api/trust')).body).toMatchObject({ epoch: 1, keys: [{ name: 'owners-key' }] });
    expect((await admin.get<{ deadLetters: object[] }>('/api/dead-letters')).body.deadLetters).toMatchObject([{ replayedAt: null }]);
  });
});

describe('a pack that is made visible', () => {
  const key = new SigningKey('release');
  const [ownerName, friendName, thirdName] = [newTenant(), newTenant(), newTenant()];
  const visible = (version: string, tenants: readonly string[]) =>
    aBundle(aManifest('shared', version, { metadata: { tenantVisibility: tenants, name: `Shared ${version}` } }));
  const forFriend = visible('1.0.0', [friendName]);
  let owner: Caller;
  let friend: Caller;
  let third: Caller;

  beforeAll(async () => {
    [owner, friend, third] = await Promise.all([registry.caller(ownerName), registry.caller(friendName), registry.caller(thirdName)]);
    await owner.accept(key);
    expect((await publish(owner, key, forFriend)).body.code).toBe('ERR_PACK_VISIBILITY');
    expect((await owner.put('/api/visibility', { shareWith: [friendName] })).status).toBe(200);
    for (const [bundle, channel] of [
      [forFriend, 'edge'],
      [visible('2.0.0', []), 'edge'],
      [visible('0.9.0', []), 'beta'],
    ] as const) {
      expect((await publish(owner, key, bundle, channel)).status).toBe(201);
    }
    expect((await publish(owner, key, aBundle(aManifest('unshared')))).status).toBe(201);
  });

  it('is found by the tenant it names only where the owner’s namespace is named', async () => {
    const namespace = ownerName;
    for (const path of ['', '/versions', '/versions/1.0.0', '/versions/1.0.0/signatures', '/versions/1.0.0/bundle']) {
      expect([path, (await friend.get(`/api/packs/shared${path}`)).status]).toEqual([path, 404]);
      expect([path, (await friend.get(`/api/packs/shared${path}`, { namespace })).status]).toEqual([path, 200]);
      expect([path, (await third.get(`/api/packs/shared${path}`, { namespace })).status]).toEqual([path, 404]);
    }
    const fetched = await friend.get('/api/packs/shared/versions/1.0.0/bundle', { namespace });
    expect(fetched.bytes.equals(forFriend.bytes)).toBe(true);
    for (const [caller, found] of [
      [friend, ['shared']],
      [third, []],
      [owner, ['shared', 'unshared']],
    ] as const) {
      for (const name of ['tenant', 'namespace']) {
        const { packs } = (await caller.get<PackList>('/api/packs', { [name]: ownerName })).body;
        expect(packs.map(pack => pack.packId)).toEqual(found);
      }
    }
    expect((await friend.get<PackList>('/api/packs')).body.packs).toEqual([]);
  });

  it('shows the versions that name the tenant, and nothing of the others', async () => {
    const namespace = ownerName;
    const { versions } = (await friend.get<VersionList>('/api/packs/shared/versions', { namespace })).body;
    expect(versions.map(({ version }) => version)).toEqual(['1.0.0']);
    expect((await friend.version('shared', '2.0.0', { namespace })).status).toBe(404);
    const { pack } = (await friend.get<{ pack: object }>('/api/packs/shared', { namespace })).body;
    // The owner's edge points at 2.0.0 and beta at 0.9.0: neither is told.
    expect(pack).toMatchObject({ tenant: ownerName, version: '1.0.0', name: 'Shared 1.0.0', channels: {} });
    expect((await owner.get<{ pack: object }>('/api/packs/shared')).body.pack).toMatchObject({
      channels: { edge: '2.0.0', beta: '0.9.0' },
    });
  });

  it('is read-only to the tenant it names', async () => {
    const query = { namespace: ownerName };
    expect((await friend.send('DELETE', '/api/packs/shared/versions/1.0.0')).status).toBe(404);
    expect((await friend.send('DELETE', '/api/packs/shared/versions/1.0.0', { query })).status).toBe(400);
    expect((await friend.send('DELETE', '/packs/shared/1.0.0')).status).toBe(404);
    const next = aBundle(aManifest('shared', '1.1.0'));
    expect((await friend.publish(next, { signatures: [key.sigstore(next.bytes)], query })).status).toBe(400);
    expect((await friend.get('/api/packs/shared/events')).status).toBe(404);
    expect((await owner.version('shared', '1.0.0')).body.deprecated).toBe(false);
    expect((await owner.version('shared', '1.1.0')).status).toBe(404);
  });

  it('stays a pack of its owner: the friend’s own of that name is another one', async () => {
    await friend.accept(key);
    const own = aBundle(aManifest('shared', '1.0.0'), [{ path: 'own.txt', content: 'own' }]);
    expect((await publish(friend, key, own)).status).toBe(201);
    expect((await friend.version('shared', '1.0.0')).body.digest).toBe(own.digest);
    expect((await friend.version('shared', '1.0.0', { namespace: ownerName })).body.digest).toBe(forFriend.digest);
    // A bare dependency means one's own namespace, whatever else is visible.
    const dependent = aBundle(aManifest('dependent', '1.0.0', { dependencies: [{ packId: 'unshared', version: '*' }] }));
    expect((await publish(friend, key, dependent)).body.code).toBe('ERR_PACK_DEPENDENCY');
  });

  it('is withdrawn from the tenant it names as well when its owner’s trust changes', async () => {
    const namespace = ownerName;
    await owner.trust(new SigningKey('another'));
    const withdrawn = await friend.version('shared', '1.0.0', { namespace });
    expect([withdrawn.status, withdrawn.body.code]).toEqual([403, 'ERR_PACK_WITHDRAWN']);
    await owner.trust(key);
    expect((await friend.version('shared', '1.0.0', { namespace })).status).toBe(200);
  });

  it('to everybody is found by everybody', async () => {
    await owner.put('/api/visibility', { shareWith: ['*'] });
    const open = aBundle(aManifest('open', '1.0.0', { metadata: { tenantVisibility: ['*'] } }));
    expect((await publish(owner, key, open)).status).toBe(201);
    expect((await third.version('open', '1.0.0', { namespace: ownerName })).status).toBe(200);
    expect((await third.version('open', '1.0.0')).status).toBe(404);
  });
});

describe('two tenants side by side', () => {
  it('have the same pack, the same bytes and the same numbers without meeting', async () => {
    const key = new SigningKey('release');
    const bundle = aBundle(aManifest('common'));
    const [a, b] = await Promise.all([registry.caller(), registry.caller()]);
    const answers: PublishAnswer[] = [];
    for (const tenant of [a, b]) {
      await tenant.accept(key);
      answers.push((await publish(tenant, key, bundle)).body);
    }
    expect(answers.map(({ state, digest }) => [state, digest])).toEqual([
      ['published', bundle.digest],
      ['published', bundle.digest],
    ]);
    await a.send('DELETE', '/api/packs/common/versions/1.0.0');
    expect((await b.version('common', '1.0.0')).body).toMatchObject({ tenant: b.tenant, deprecated: false });
    await a.trust();
    expect((await a.version('common', '1.0.0')).status).toBe(403);
    expect((await b.version('common', '1.0.0')).status).toBe(200);
    const entries: [AuditEntryView[], AuditEntryView[]] = await eventually(async () => {
      const both = [await a.audit(), await b.audit()] as [AuditEntryView[], AuditEntryView[]];
      expect(both.map(log => log.length)).toEqual([5, 3]);
      return both;
    });
    for (const [at, tenant] of [a.tenant, b.tenant].entries()) {
      expect(entries[at]?.map(entry => entry.seq)).toEqual(entries[at]?.map((_, index) => index + 1));
      expect(new Set(entries[at]?.map(entry => entry.tenant))).toEqual(new Set([tenant]));
    }
    expect((await b.get('/api/policies')).body).toEqual((await a.get('/api/policies')).body);
    await a.policy({ keyRef: 'another' });
    expect((await b.get('/api/policies')).body).toMatchObject({ policies: [{ version: 1, rule: { keyRef: 'release' } }] });
  });
});
