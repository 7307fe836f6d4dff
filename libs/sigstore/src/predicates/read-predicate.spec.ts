import { canonicalDigest, DomainError, MEDIA_TYPES } from '@packs/domain';
import { MAX_ATTESTATION_BYTES } from '../attestation-limits';
import { readPredicate, type ReadPredicate } from './read-predicate';
import { readSbom, sbomFormat } from './sbom';
import { readSlsaProvenance, SLSA_PROVENANCE } from './slsa-provenance';
import { readTestResult } from './test-result';

const COMMIT = 'c'.repeat(40);

/** As https://slsa.dev/spec/v1.0/provenance draws it. */
const GOLDEN = {
  buildDefinition: {
    buildType: 'https://ci.test/workflow/v1',
    externalParameters: { workflow: { repository: 'https://git.test/acme/hello', ref: 'refs/heads/main', path: 'release.yml' } },
    internalParameters: { secret: 'not shown' },
    resolvedDependencies: [
      { name: 'image', uri: 'pkg:docker/build@1', digest: { sha256: 'd'.repeat(64) } },
      { uri: 'git+https://git.test/acme/hello@refs/heads/main', digest: { gitCommit: COMMIT } },
    ],
  },
  runDetails: {
    builder: { id: 'https://ci.test/builders/7' },
    metadata: { invocationId: 'run-1', startedOn: '2026-01-17T09:00:00+01:00', finishedOn: '2026-01-17T08:05:00.5Z' },
  },
};

function envelope(statement: unknown, mediaType: string = MEDIA_TYPES.dsseEnvelope): Buffer {
  const payload = Buffer.from(typeof statement === 'string' ? statement : JSON.stringify(statement)).toString('base64');
  const dsse = { payload, payloadType: 'application/vnd.in-toto+json', signatures: [{ sig: 'AAAA' }] };
  if (mediaType === MEDIA_TYPES.dsseEnvelope) return Buffer.from(JSON.stringify(dsse));
  const material = { publicKey: { hint: 'key' } };
  return Buffer.from(JSON.stringify({ mediaType, verificationMaterial: material, dsseEnvelope: dsse }));
}

const read = (predicateType: string, predicate: unknown): ReadPredicate =>
  readPredicate(MEDIA_TYPES.dsseEnvelope, envelope({ _type: 'x', subject: [], predicateType, predicate }));

describe('readSlsaProvenance', () => {
  it('reads who built it, how, from what and when', () => {
    expect(readSlsaProvenance(GOLDEN)).toEqual({
      builder: 'https://ci.test/builders/7',
      buildType: 'https://ci.test/workflow/v1',
      source: { repository: 'https://git.test/acme/hello', ref: 'refs/heads/main', commit: COMMIT },
      invocation: 'run-1',
      startedAt: '2026-01-17T08:00:00.000Z',
      finishedAt: '2026-01-17T08:05:00.500Z',
      materials: [
        { name: 'image', uri: 'pkg:docker/build@1', digests: { sha256: 'd'.repeat(64) } },
        { name: null, uri: 'git+https://git.test/acme/hello@refs/heads/main', digests: { gitCommit: COMMIT } },
      ],
      materialCount: 2,
      leftOut: [],
    });
  });

  const sourceOf = (dependencies: unknown, externalParameters: unknown = {}) =>
    readSlsaProvenance({ buildDefinition: { resolvedDependencies: dependencies, externalParameters } }).source;

  it.each([
    ['a commit by its own name', [{ uri: 'https://git.test/a', digest: { gitCommit: COMMIT } }], {}, 'https://git.test/a', null, COMMIT],
    ['an older SHA-1', [{ uri: 'git+https://git.test/a@v1', digest: { sha1: COMMIT } }], {}, 'https://git.test/a', 'v1', COMMIT],
    ['a user in the address', [{ uri: 'git+ssh://git@git.test/a', digest: {} }], {}, 'ssh://git@git.test/a', null, null],
    ['what was asked for', [], { workflow: { repository: 'https://git.test/b', ref: 'main' } }, 'https://git.test/b', 'main', null],
    ['a source asked for', [], { source: 'git+https://git.test/c@v2' }, 'https://git.test/c', 'v2', null],
  ])('finds the source in %s', (_, dependencies, parameters, repository, ref, commit) => {
    expect(sourceOf(dependencies, parameters)).toEqual({ repository, ref, commit });
  });

  it('takes no other dependency for the source', () => {
    expect(sourceOf([{ uri: 'pkg:npm/left-pad@1', digest: { sha1: COMMIT } }])).toBeNull();
  });

  it.each<[string, object, string]>([
    ['control characters', { runDetails: { builder: { id: 'a\nb' } } }, '/runDetails/builder/id'],
    ['characters that turn text round', { runDetails: { builder: { id: 'a\u202eb' } } }, '/runDetails/builder/id'],
    ['half a surrogate pair', { runDetails: { builder: { id: 'a\ud800' } } }, '/runDetails/builder/id'],
    ['more than a page has room for', { runDetails: { builder: { id: 'a'.repeat(1025) } } }, '/runDetails/builder/id'],
    ['a number for a text', { buildDefinition: { buildType: 7 } }, '/buildDefinition/buildType'],
    ['a list for an object', { buildDefinition: [] }, '/buildDefinition'],
    ['an object for a list', { buildDefinition: { resolvedDependencies: {} } }, '/buildDefinition/resolvedDependencies'],
    ['no time', { runDetails: { metadata: { startedOn: 'yesterday' } } }, '/runDetails/metadata/startedOn'],
    ['a day that is none', { runDetails: { metadata: { startedOn: '2026-13-40T00:00:00Z' } } }, '/runDetails/metadata/startedOn'],
    [
      'digests that are none',
      { buildDefinition: { resolvedDependencies: [{ digest: { sha256: '<b>' } }] } },
      '/buildDefinition/resolvedDependencies/0/digest',
    ],
    [
      'digests of too many kinds',
      { buildDefinition: { resolvedDependencies: [{ digest: Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`a${n}`, 'b'])) }] } },
      '/buildDefinition/resolvedDependencies/0/digest',
    ],
  ])('leaves out %s, and says where', (_, predicate, place) => {
    const { leftOut, builder, buildType, startedAt } = readSlsaProvenance(predicate);
    expect([leftOut, builder, buildType, startedAt]).toEqual([[place], null, null, null]);
  });

  it('is not led to a prototype by names', () => {
    const predicate = JSON.parse(
      '{"__proto__":{"runDetails":{"builder":{"id":"x"}}},"buildDefinition":{"resolvedDependencies":[{"digest":{"__proto__":"ab"}}]}}',
    ) as unknown;
    const { builder, materials } = readSlsaProvenance(predicate);
    expect([builder, Object.keys(materials[0]?.digests ?? {})]).toEqual([null, []]);
    expect(({} as { ab?: unknown }).ab).toBeUndefined();
  });

  it('shows 64 materials of however many, and names 32 places at the most', () => {
    const resolvedDependencies = Array.from({ length: 50_000 }, () => ({ uri: 7, name: 7 }));
    const found = readSlsaProvenance({ buildDefinition: { resolvedDependencies } });
    expect([found.materials.length, found.materialCount, found.leftOut.length]).toEqual([64, 50_000, 32]);
  });
});

describe('readSbom', () => {
  it.each([
    ['https://cyclonedx.org/bom', 'CycloneDX'],
    ['https://cyclonedx.org/bom/v1.6', 'CycloneDX'],
    ['https://spdx.dev/Document', 'SPDX'],
    ['https://spdx.dev/Document/v2.3', 'SPDX'],
    ['https://spdx.dev/Documents', undefined],
    ['https://cyclonedx.org/bom/vx', undefined],
    ['toString', undefined],
  ])('knows %s as %s', (type, format) => expect(sbomFormat(type)).toBe(format));

  it('counts components within components', () => {
    const bom = { specVersion: '1.6', serialNumber: 'urn:uuid:1', components: [{ components: [{}, { components: [{}] }] }, {}, 7] };
    expect(readSbom('CycloneDX', bom)).toEqual({
      format: 'CycloneDX',
      specVersion: '1.6',
      id: 'urn:uuid:1',
      components: 5,
      digest: canonicalDigest(bom),
      leftOut: [],
    });
  });

  it('counts packages, of SPDX 2 and 3', () => {
    const two = { spdxVersion: 'SPDX-2.3', documentNamespace: 'https://spdx.test/a', packages: [{}, {}] };
    expect(readSbom('SPDX', two)).toMatchObject({ specVersion: 'SPDX-2.3', id: 'https://spdx.test/a', components: 2 });
    expect(readSbom('SPDX', { '@graph': [{ type: 'software_Package' }, { type: 'Person' }, null] }).components).toBe(1);
  });

  it('counts no further than 100000, however they are nested', () => {
    const wide = Array.from({ length: 400 }, () => ({ components: Array.from({ length: 400 }, () => ({})) }));
    expect(readSbom('CycloneDX', { components: wide }).components).toBe(100_000);
  });

  it.each([['text'], [7], [null], [[]]])('makes nothing of %j', predicate => {
    expect(readSbom('SPDX', predicate)).toMatchObject({ components: 0, digest: null, leftOut: [''] });
  });
});

describe('readTestResult', () => {
  it('reads the result and counts', () => {
    const predicate = { result: 'FAILED', url: 'https://ci.test/1', passedTests: ['a'], warnedTests: [], failedTests: ['b', 'c'] };
    expect(readTestResult(predicate)).toEqual({ result: 'FAILED', url: 'https://ci.test/1', passed: 1, warned: 0, failed: 2, leftOut: [] });
  });

  it('leaves out a result it does not know', () => {
    expect(readTestResult({ result: 'GREAT', failedTests: 'none' })).toMatchObject({
      result: null,
      failed: 0,
      leftOut: ['/result', '/failedTests'],
    });
  });
});

describe('readPredicate', () => {
  it('reads what each type says, out of an envelope or a bundle', () => {
    expect(read(SLSA_PROVENANCE, GOLDEN)).toMatchObject({ kind: 'build', build: { builder: 'https://ci.test/builders/7' } });
    expect(read('https://cyclonedx.org/bom', {})).toMatchObject({ kind: 'sbom' });
    expect(read('https://in-toto.io/attestation/test-result/v0.1', {})).toMatchObject({ kind: 'test' });
    expect(read('https://example.test/other', GOLDEN)).toEqual({ kind: 'other' });
    const bundle = envelope({ predicateType: SLSA_PROVENANCE, predicate: GOLDEN }, MEDIA_TYPES.sigstoreBundle);
    expect(readPredicate(MEDIA_TYPES.sigstoreBundle, bundle)).toMatchObject({ kind: 'build' });
  });

  it.each<[string, Buffer]>([
    ['no JSON', Buffer.from('{')],
    ['no envelope', Buffer.from('{}')],
    ['a payload that is no object', envelope('[]')],
    ['a member twice', envelope('{"predicateType":"a","predicateType":"b"}')],
    ['too deep', envelope(`{"predicate":${'['.repeat(100)}${']'.repeat(100)}}`)],
    ['too long', Buffer.alloc(MAX_ATTESTATION_BYTES + 1, ' ')],
  ])('refuses %s as what cannot have been verified', (_, content) => {
    expect(() => readPredicate(MEDIA_TYPES.dsseEnvelope, content)).toThrow(DomainError);
  });

  it.each([SLSA_PROVENANCE, 'https://cyclonedx.org/bom', 'https://spdx.dev/Document', 'https://in-toto.io/attestation/test-result/v0.1'])(
    'takes anything as the predicate of %s',
    type => {
      const values: unknown[] = [null, 7, 'x', [], {}, true, [null], { a: null }];
      for (const outer of values) {
        for (const name of ['buildDefinition', 'runDetails', 'components', 'packages', '@graph', 'passedTests', 'result']) {
          expect(() => read(type, { [name]: outer })).not.toThrow();
          expect(() => read(type, { [name]: [outer, { digest: outer, uri: outer, components: outer }] })).not.toThrow();
        }
        expect(() => read(type, outer)).not.toThrow();
      }
    },
  );
});
