import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Problem, PublishAnswer } from '@packs/contracts';
import { eventually } from '@packs/testing';
import type { Answer, Caller } from './caller';
import { aBundle, aManifest, bundleOf, tar, tarHeader, type ArchiveEntry, type Bundle } from './pack-bundle';
import { MAX_BUNDLE_BYTES, Registry } from './registry';
import { SigningKey } from './signing-key';
import { auditSettled, rowsOf } from './tenant-state';

const MIB = 1024 * 1024;
const key = new SigningKey('release');
const stranger = new SigningKey('stranger');
const VICTIM = aManifest('victim', '2.0.0');
let registry: Registry;
let publisher: Caller;

beforeAll(async () => {
  registry = await Registry.shared();
  publisher = await registry.caller();
  await publisher.accept(key);
  const existing = aBundle(aManifest('victim', '1.0.0'));
  await signedBy(key, existing);
});

function signedBy(signer: SigningKey, bundle: Bundle): Promise<Answer<PublishAnswer & Problem>> {
  return publisher.publish(bundle, { packId: 'victim', signatures: [signer.sigstore(bundle.bytes)] });
}

/** What the caller and the database can see of the tenant. */
async function state() {
  await eventually(() => auditSettled(registry, publisher.tenant));
  const versions = (await publisher.get('/api/packs/victim/versions')).body;
  return { versions, packs: (await publisher.get('/api/packs')).body, rows: await rowsOf(registry, publisher.tenant) };
}

/** A bundle whose archive is `entries` beside a good manifest. */
function withEntries(...entries: readonly ArchiveEntry[]): Bundle {
  return aBundle(VICTIM, entries);
}

/** A bundle whose pack.yaml is this text. */
function withYaml(yaml: string | Buffer): Bundle {
  return bundleOf(VICTIM, gzipSync(tar([{ path: 'pack.yaml', content: yaml }])));
}

/** A bundle that is these bytes, whatever they are. */
function ofBytes(bytes: Buffer): Bundle {
  return bundleOf(VICTIM, bytes);
}

/** An archive by pieces, for what a careful writer cannot write. */
function ofTar(...pieces: readonly Buffer[]): Bundle {
  return ofBytes(gzipSync(Buffer.concat(pieces)));
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

const good = aBundle(VICTIM);
const goodTar = tar([{ path: 'pack.yaml', content: JSON.stringify(VICTIM) }]);
const withoutEnd = goodTar.subarray(0, -1024);
const END = Buffer.alloc(1024);

/** What the verdict rejects: the answer has it, one event says so, and nothing else has changed. */
type Rejected = readonly [name: string, bundle: () => Bundle, code: string, pointer?: string];

const ARCHIVES: readonly Rejected[] = [
  ['a path that climbs out', () => withEntries({ path: '../evil.sh', content: 'x' }), 'ERR_PACK_BUNDLE_PATH'],
  ['a path that climbs out half-way', () => withEntries({ path: 'a/../../evil.sh', content: 'x' }), 'ERR_PACK_BUNDLE_PATH'],
  ['an absolute path', () => withEntries({ path: '/etc/passwd', content: 'x' }), 'ERR_PACK_BUNDLE_PATH'],
  ['a path of another system', () => withEntries({ path: 'a\\..\\evil', content: 'x' }), 'ERR_PACK_BUNDLE_PATH'],
  ['a file twice', () => withEntries({ path: 'a', content: '1' }, { path: 'a', content: '2' }), 'ERR_PACK_BUNDLE_PATH'],
  ['two manifests', () => withEntries({ path: 'pack.yaml', content: '{}' }), 'ERR_PACK_BUNDLE_PATH'],
  ['a symbolic link', () => withEntries({ path: 'link', type: '2', link: '/etc/passwd' }), 'ERR_PACK_BUNDLE_INVALID'],
  ['a hard link', () => withEntries({ path: 'link', type: '1', link: 'pack.yaml' }), 'ERR_PACK_BUNDLE_INVALID'],
  ['a device', () => withEntries({ path: 'dev', type: '3' }), 'ERR_PACK_BUNDLE_INVALID'],
  [
    'more entries than allowed',
    () => withEntries(...Array.from({ length: 10_001 }, (_, at) => ({ path: `f${at}` }))),
    'ERR_PACK_BUNDLE_LIMIT',
  ],
  ['a path of too many folders', () => withEntries({ path: `${'a/'.repeat(20)}b` }), 'ERR_PACK_BUNDLE_LIMIT'],
  [
    'an entry said to be larger than all limits',
    () => ofTar(withoutEnd, tarHeader('big', 8 * 1024 * MIB - 1), END),
    'ERR_PACK_BUNDLE_LIMIT',
  ],
  ['data behind the end of the archive', () => ofTar(goodTar, Buffer.alloc(512, 7)), 'ERR_PACK_BUNDLE_INVALID'],
  ['an archive that is cut', () => ofTar(withoutEnd, tarHeader('half', 4096), Buffer.alloc(512)), 'ERR_PACK_BUNDLE_INVALID'],
  ['a gzip stream that is cut', () => ofBytes(good.bytes.subarray(0, -20)), 'ERR_PACK_BUNDLE_INVALID'],
  ['a wrong checksum in its gzip trailer', () => ofBytes(flipped(good.bytes, good.bytes.length - 6)), 'ERR_PACK_BUNDLE_INVALID'],
  ['a second gzip member', () => ofBytes(Buffer.concat([good.bytes, good.bytes])), 'ERR_PACK_BUNDLE_INVALID'],
  ['a tar that is not compressed', () => ofBytes(goodTar), 'ERR_PACK_BUNDLE_INVALID'],
  ['text', () => ofBytes(Buffer.from('this is no bundle')), 'ERR_PACK_BUNDLE_INVALID'],
  ['nothing', () => ofBytes(Buffer.alloc(0)), 'ERR_PACK_BUNDLE_INVALID'],
  ['no pack.yaml', () => ofTar(tar([{ path: 'sub/pack.yaml', content: JSON.stringify(VICTIM) }])), 'ERR_PACK_MANIFEST_MISSING'],
];

const { metadata } = VICTIM;
const manifests = (changes: object): Bundle => aBundle({ ...VICTIM, ...changes });

const MANIFESTS: readonly Rejected[] = [
  ['aliases', () => withYaml('a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n'), 'ERR_PACK_MANIFEST_YAML'],
  ['10,000 levels', () => withYaml('['.repeat(10_000)), 'ERR_PACK_MANIFEST_YAML'],
  [
    '10,000 levels of keys',
    () => withYaml(Array.from({ length: 10_000 }, (_, at) => `${' '.repeat(at % 900)}a:`).join('\n')),
    'ERR_PACK_MANIFEST_YAML',
  ],
  ['a key twice', () => withYaml('kind: TaskPack\nkind: PolicyPack\n'), 'ERR_PACK_MANIFEST_YAML'],
  ['two documents', () => withYaml('{}\n---\n{}\n'), 'ERR_PACK_MANIFEST_YAML'],
  ['a language’s own types', () => withYaml('a: !!js/function "x"\n'), 'ERR_PACK_MANIFEST_YAML'],
  ['bytes that are not UTF-8', () => withYaml(Buffer.from([0x61, 0x3a, 0x20, 0xff])), 'ERR_PACK_MANIFEST_YAML'],
  ['a megabyte and more', () => withYaml(`# ${randomBytes(0.6 * MIB).toString('hex')}`), 'ERR_PACK_MANIFEST_YAML'],
  ['a list', () => withYaml('[]'), 'ERR_PACK_MANIFEST_SCHEMA', ''],
  ['an unknown kind', () => manifests({ kind: 'VirusPack' }), 'ERR_PACK_MANIFEST_SCHEMA', '/kind'],
  ['a member nobody knows', () => manifests({ surprise: 1 }), 'ERR_PACK_MANIFEST_SCHEMA', '/surprise'],
  ['another apiVersion', () => manifests({ apiVersion: 'stellaops.io/pack.v9' }), 'ERR_PACK_MANIFEST_SCHEMA', '/apiVersion'],
  [
    'a version that is not semver',
    () => manifests({ metadata: { ...metadata, version: '2.0' } }),
    'ERR_PACK_MANIFEST_SCHEMA',
    '/metadata/version',
  ],
  [
    'a version with a v',
    () => manifests({ metadata: { ...metadata, version: 'v2.0.0' } }),
    'ERR_PACK_MANIFEST_SCHEMA',
    '/metadata/version',
  ],
  [
    'a packId that is no name',
    () => manifests({ metadata: { ...metadata, packId: 'Victim/..' } }),
    'ERR_PACK_MANIFEST_SCHEMA',
    '/metadata/packId',
  ],
  [
    'a range that is none',
    () => manifests({ dependencies: [{ packId: 'a', version: '>>1' }] }),
    'ERR_PACK_MANIFEST_SCHEMA',
    '/dependencies/0/version',
  ],
  ['steps missing', () => manifests({ spec: {} }), 'ERR_PACK_MANIFEST_SCHEMA', '/spec/steps'],
  [
    'a file that the bundle does not have',
    () => manifests({ kind: 'PolicyPack', spec: { rules: [{ id: 'r', title: 'R', file: 'none.cel' }] } }),
    'ERR_PACK_MANIFEST_SCHEMA',
    '/spec/rules/0/file',
  ],
  ['the name of another pack', () => aBundle(aManifest('other', '2.0.0')), 'ERR_PACK_MANIFEST_MISMATCH', '/metadata/packId'],
];

describe('rejected by the verdict, and nothing changed but the event that says so', () => {
  async function expectRejected(
    send: () => Promise<Answer<PublishAnswer & Problem>>,
    codes: readonly string[],
    pointer?: string,
  ): Promise<void> {
    const before = await state();
    const { status, body } = await send();
    expect([status, body.code, body.errors?.map(fault => fault.code)]).toEqual([422, 'ERR_PACK_VERDICT_REJECTED', codes]);
    if (pointer !== undefined) expect(body.errors?.map(fault => fault.pointer)).toEqual([pointer]);
    const { verdict } = body as unknown as { verdict: { outcome: string; checks: { outcome: string; reason: string }[]; hash: string } };
    expect(verdict.outcome).toBe('rejected');
    expect(verdict.checks.filter(check => check.outcome === 'fail').map(check => check.reason)).toEqual([...new Set(codes)]);
    const after = await state();
    expect({ ...after, rows: {} }).toEqual({ ...before, rows: {} });
    const { 'content.blobs': blobs, objects, ...rows } = before.rows;
    const oneMore = ['registry.verdicts', 'registry.idempotency_keys', 'registry.outbox', 'compliance.audit_log'] as const;
    expect(after.rows).toMatchObject({ ...rows, ...Object.fromEntries(oneMore.map(table => [table, rows[table] + 1])) });
    // The bytes were received and wait for the vacuum; what was received is all there is, and each object is on record.
    expect(after.rows['content.blobs'] - blobs).toBeLessThanOrEqual(2);
    expect(after.rows.objects - objects).toBe(after.rows['content.blobs'] - blobs);
    const [entry] = (await publisher.audit()).slice(-1);
    expect(entry).toMatchObject({ type: 'pack.version.rejected', data: { reasons: [...new Set(codes)], verdictHash: verdict.hash } });
  }

  it.each([...ARCHIVES, ...MANIFESTS].map(([name, ...rest]) => [name, rest] as const))('%s', (_, [bundle, code, pointer]) =>
    expectRejected(() => signedBy(key, bundle()), [code], pointer),
  );

  it('a version other than the one the request names', () =>
    expectRejected(
      () => publisher.publish(good, { signatures: [key.sigstore(good.bytes)], query: { version: '2.0.1' } }),
      ['ERR_PACK_MANIFEST_MISMATCH'],
      '/metadata/version',
    ));

  it.each(['sigstore', 'dsse', 'raw'] as const)('a %s signature over other bytes', form =>
    expectRejected(() => publisher.publish(good, { signatures: [key[form](Buffer.from('other bytes'))] }), ['ERR_PACK_SIGNATURE_INVALID']),
  );

  it('a signature by a key nobody trusts', () => expectRejected(() => signedBy(stranger, good), ['ERR_PACK_SIGNATURE_UNTRUSTED']));

  it('a bundle with one bit flipped after it was signed', () => {
    // In the gzip header's time stamp, where it spoils nothing but the signature.
    const tampered = ofBytes(flipped(good.bytes, 4));
    return expectRejected(() => publisher.publish(tampered, { signatures: [key.sigstore(good.bytes)] }), ['ERR_PACK_SIGNATURE_INVALID']);
  });

  it('a bundle with a file added after it was signed', () => {
    const tampered = withEntries({ path: 'backdoor.sh', content: 'curl evil' });
    return expectRejected(() => publisher.publish(tampered, { signatures: [key.dsse(good.bytes)] }), ['ERR_PACK_SIGNATURE_INVALID']);
  });

  it.each([
    ['text', 'not json'],
    ['a bundle without a signature', '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}'],
    ['nothing', ''],
  ])('a signature document that is %s', (_, content) =>
    expectRejected(
      () =>
        publisher.publish(good, {
          signatures: [{ mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', content: Buffer.from(content) }],
        }),
      ['ERR_PACK_SIGNATURE_INVALID'],
    ),
  );

  it('nine times: what was refused so often is accepted once it is right', async () => {
    expect((await signedBy(key, good)).status).toBe(201);
    expect((await publisher.version('victim', '2.0.0')).body.digest).toBe(good.digest);
  });
});

describe('a bomb', () => {
  /** 2 GiB of zeros at most; compresses a thousandfold. */
  const bomb = ofBytes(gzipSync(Buffer.concat([withoutEnd, tarHeader('zeros', 300 * MIB), Buffer.alloc(300 * MIB), END]), { level: 1 }));
  /** Its headers announce nothing: only inflating shows what it is. */
  const silent = ofBytes(gzipSync(Buffer.concat([goodTar, Buffer.alloc(300 * MIB)]), { level: 1 }));

  it.each([
    ['that announces its size', bomb],
    ['that hides it behind the end of the archive', silent],
  ])('%s is refused quickly, without the memory it asks for', async (_, bundle) => {
    expect(bundle.bytes.length).toBeLessThan(MAX_BUNDLE_BYTES);
    const memory = () => registry.metric('verifier', 'process_resident_memory_bytes');
    const before = await memory();
    const started = performance.now();
    const peak = { bytes: 0 };
    const watch = setInterval(() => void memory().then(bytes => (peak.bytes = Math.max(peak.bytes, bytes))), 50);
    const { status, body } = await signedBy(key, bundle).finally(() => clearInterval(watch));
    const seconds = (performance.now() - started) / 1000;
    expect([status, body.errors?.map(fault => fault.code)]).toEqual([422, ['ERR_PACK_BUNDLE_LIMIT']]);
    // A second is the limit; ten times that is allowed to a machine that has other things to do.
    expect(seconds).toBeLessThan(10);
    expect(Math.max(peak.bytes, await memory()) - before).toBeLessThan(128 * MIB);
  });
});

describe('refused before anything was judged, and nothing changed at all', () => {
  const parts = (bundle: Bundle) => [{ name: 'bundle', file: 'bundle.tgz', type: 'application/gzip', content: bundle.bytes }];
  const other = aBundle(aManifest('victim', '3.0.0'));
  const huge = Buffer.alloc(MAX_BUNDLE_BYTES + 1);

  it.each<[string, () => Promise<Answer<PublishAnswer & Problem>>, number, string, object]>([
    [
      'another digest than declared',
      () => publisher.publish(other, { signatures: [key.sigstore(other.bytes)], query: { digest: good.digest } }),
      400,
      'ERR_PACK_DIGEST_MISMATCH',
      {},
    ],
    [
      'another digest than declared, in a raw body',
      () => publisher.publishRaw(other, key.raw(other.bytes), { query: { digest: good.digest } }),
      400,
      'ERR_PACK_DIGEST_MISMATCH',
      {},
    ],
    ['more bytes than allowed', () => publisher.publish(ofBytes(huge)), 413, 'ERR_PACK_TOO_LARGE', {}],
    ['more bytes than allowed, in a raw body', () => publisher.publishRaw(ofBytes(huge), key.raw(huge)), 413, 'ERR_PACK_TOO_LARGE', {}],
    [
      'a signature that is too large',
      () => publisher.publish(other, { signatures: [{ mediaType: 'application/json', content: Buffer.alloc(256 * 1024 + 1, 32) }] }),
      413,
      'ERR_PACK_TOO_LARGE',
      {},
    ],
    [
      'nine signatures',
      () => publisher.publish(other, { signatures: Array.from({ length: 9 }, () => key.sigstore(other.bytes)) }),
      400,
      'ERR_PACK_REQUEST_INVALID',
      { field: 'signature' },
    ],
    [
      'a signature of a type nobody knows',
      () => publisher.publish(other, { signatures: [{ mediaType: 'image/png', content: Buffer.from('x') }] }),
      400,
      'ERR_PACK_REQUEST_INVALID',
      { field: 'signature' },
    ],
    [
      'a file nobody asked for',
      () => publisher.publishParts('victim', [...parts(other), { name: 'extra', file: 'x', content: 'x' }]),
      400,
      'ERR_PACK_REQUEST_INVALID',
      { field: 'extra' },
    ],
    [
      'a field nobody asked for',
      () => publisher.publishParts('victim', [{ name: 'channel', content: 'stable' }, ...parts(other)]),
      400,
      'ERR_PACK_REQUEST_INVALID',
      { field: 'channel' },
    ],
    [
      'two bundles',
      () => publisher.publishParts('victim', [...parts(other), ...parts(good)]),
      400,
      'ERR_PACK_REQUEST_INVALID',
      { field: 'bundle' },
    ],
    ['no bundle', () => publisher.publishParts('victim', []), 400, 'ERR_PACK_REQUEST_INVALID', { field: 'bundle' }],
  ])('%s', async (_, send, status, code, fault) => {
    const before = await state();
    const answer = await send();
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    if ('field' in fault) expect(answer.body.errors).toEqual([expect.objectContaining(fault)]);
    expect(await state()).toEqual(before);
  });

  it('tenants that the tenant may not share with', async () => {
    const shared = aBundle(aManifest('victim', '3.0.0', { metadata: { tenantVisibility: [publisher.tenant, 'rival', '*'] } }));
    const before = await state();
    const { status, body } = await signedBy(key, shared);
    expect([status, body.code, body.errors?.map(fault => fault.pointer)]).toEqual([
      422,
      'ERR_PACK_VISIBILITY',
      ['/metadata/tenantVisibility/1', '/metadata/tenantVisibility/2'],
    ]);
    const after = await state();
    const { 'content.blobs': _, objects: __, ...rows } = before.rows;
    expect(after.rows).toMatchObject(rows);
    expect(after.versions).toEqual(before.versions);
  });
});
