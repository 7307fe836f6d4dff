import { DomainError } from '@packs/domain';
import { TASK_YAML } from './archive.fixture';
import { parsePackManifest } from './parse-pack-manifest';

const HEAD = 'apiVersion: stellaops.io/pack.v1\nkind: TaskPack\nmetadata: { packId: a, name: A, version: 1.0.0 }\n';
const STEPS = 'spec: { steps: [{ id: s, run: [x] }] }\n';

function refusal(yaml: string | Uint8Array): DomainError {
  try {
    parsePackManifest(typeof yaml === 'string' ? Buffer.from(yaml) : yaml);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

function pointers(yaml: string): Record<string, string> {
  const error = refusal(yaml);
  expect(error.code).toBe('ERR_PACK_MANIFEST_SCHEMA');
  return Object.fromEntries(error.errors.map(fault => [fault.pointer, fault.message]));
}

describe('parsePackManifest', () => {
  it('gives plain data', () => {
    expect(parsePackManifest(Buffer.from(TASK_YAML))).toEqual({
      apiVersion: 'stellaops.io/pack.v1',
      kind: 'TaskPack',
      metadata: { packId: 'acme.hello', name: 'Hello', version: '1.0.0' },
      spec: { steps: [{ id: 'greet', run: ['scripts/greet.sh'] }] },
    });
  });

  it.each([
    ['an anchor', `${HEAD}spec: &a { steps: [{ id: s, run: [x] }] }\n`, /anchors.*line 4, column 8/],
    ['an alias', `${HEAD}${STEPS}dependencies: *a\n`, /anchors/],
    ['a merge key', `${HEAD}spec: { <<: { steps: [] } }\n`, /\/spec has a merge key/],
    ['a key given twice', `${HEAD}kind: PolicyPack\n${STEPS}`, /duplicated mapping key.*line 4/],
    ['a second document', `${HEAD}${STEPS}---\n{}\n`, /exactly one YAML document/],
    ['no document', '', /exactly one YAML document|at the root/],
    ['an open bracket', `${HEAD}spec: [`, /line \d+, column \d+/],
    ['a number that is none', `${HEAD}spec: { steps: .nan }`, /\/spec\/steps has a number/],
    ['an infinite number', `${HEAD}spec: { steps: -.inf }`, /\/spec\/steps has a number/],
    ['a negative zero', `${HEAD}spec: { steps: -0.0 }`, /\/spec\/steps has a number/],
    ['a number with too many digits', `${HEAD}spec: { steps: 9007199254740993 }`, /loses digits/],
    ['a key that is a number', `${HEAD}spec: { 1: x }`, /not text/],
    ['a key that reaches the prototype', `${HEAD}spec: { __proto__: x }`, /not allowed/],
    ['an unknown tag', `${HEAD}spec: !!js/function x`, /tag/],
    ['a control character', `${HEAD}spec: { steps: "\\e[31m" }`, /control character/],
    ['a NUL', `${HEAD}spec: { steps: "\\0" }`, /control character/],
    ['half a surrogate pair', `${HEAD}spec: { steps: "\\uD800" }`, /surrogate/],
    ['10,000 levels of brackets', `${HEAD}spec: ${'['.repeat(10_000)}`, /maxDepth/],
    ['10,000 levels of dashes', `${HEAD}spec:\n  ${'- '.repeat(10_000)}x`, /maxDepth/],
    ['10,000 levels of keys', `${HEAD}spec: ${'{a: '.repeat(10_000)}`, /maxDepth/],
  ])('refuses %s', (_, yaml, message) => {
    const started = performance.now();
    const error = refusal(yaml);
    expect(error.code).toBe('ERR_PACK_MANIFEST_YAML');
    expect(error.message).toMatch(message);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('refuses bytes that are not UTF-8 and files over 256 KiB', () => {
    expect(refusal(Buffer.from([0x61, 0xff])).code).toBe('ERR_PACK_MANIFEST_YAML');
    expect(refusal(`${HEAD}${STEPS}${'#'.repeat(256 * 1024)}`).message).toContain('262144 bytes');
  });

  it('speaks only of the declared kind', () => {
    expect(pointers(`${HEAD.replace('TaskPack', 'PolicyPack')}${STEPS}`)).toEqual({
      '/spec/rules': 'is required',
      '/spec/steps': 'is not a known field',
    });
  });

  it('points at every fault', () => {
    const yaml = `apiVersion: v2\nkind: Chart\nextra: 1\nmetadata: { packId: A_, version: 1.0, tags: [x, x y], tenantVisibility: ["*", "**"], license: "" }\n`;
    expect(pointers(yaml)).toEqual({
      '/apiVersion': 'must be "stellaops.io/pack.v1"',
      '/kind': 'must be one of TaskPack, PolicyPack, AnalyzerPack, BundlePack',
      '/extra': 'is not a known field',
      '/spec': 'is required',
      '/metadata/name': 'is required',
      '/metadata/packId': expect.stringContaining('must match'),
      '/metadata/version': 'must be a string; put it in quotes',
      '/metadata/tags/1': expect.stringContaining('must match'),
      '/metadata/tenantVisibility/1': expect.stringContaining('must match'),
      '/metadata/license': 'must NOT have fewer than 1 characters',
    });
  });

  it.each(['v1.0.0', '1.0', '1.0.0 ', '01.0.0', `1.0.0-${'a'.repeat(130)}`])('refuses the version %j', version => {
    expect(pointers(HEAD.replace('version: 1.0.0', `version: ${JSON.stringify(version)}`) + STEPS)).toHaveProperty(['/metadata/version']);
  });

  it('checks ranges of dependencies and of compatibility', () => {
    const yaml = `${HEAD}${STEPS}dependencies: [{ packId: b, version: latest }]\ncompatibility: { cli: "^1", runner: { minRunnerVersion: "^2" } }\n`;
    expect(pointers(yaml)).toEqual({
      '/dependencies/0/version': 'must be a SemVer range such as ^1.4.0',
      '/compatibility/runner/minRunnerVersion': 'must be a SemVer 2.0.0 version such as 1.4.0',
    });
  });

  it('escapes names in pointers', () => {
    expect(pointers(`${HEAD}${STEPS}"a/b~c": 1\n`)).toHaveProperty(['/a~1b~0c']);
  });

  it('wants exactly one way to carry out a step', () => {
    const yaml = `${HEAD}spec: { steps: [{ id: a }, { id: b, run: [x], uses: y }, { id: c, uses: y }] }\n`;
    expect(pointers(yaml)).toEqual({
      '/spec/steps/0': 'must have exactly one of run, uses, approval',
      '/spec/steps/1': 'must have exactly one of run, uses, approval',
    });
  });

  it('refuses ids given twice and references to nothing', () => {
    const yaml = `${HEAD}dependencies: [{ packId: a, version: "*" }, { packId: b, version: "1" }, { packId: b, version: "2" }]
spec:
  approvals: [{ id: go, message: Go? }]
  steps:
    - { id: one, run: [x], needs: [two] }
    - { id: two, approval: stop }
    - { id: two, approval: go, needs: [one] }
  outputs: [{ name: o, step: three }]
`;
    expect(pointers(yaml)).toEqual({
      '/dependencies/0/packId': 'is this pack itself',
      '/dependencies/2/packId': 'repeats "b"',
      '/spec/steps/0/needs/0': 'must be the id of an earlier step',
      '/spec/steps/1/approval': 'must be the id of one of /spec/approvals',
      '/spec/steps/2/id': 'repeats "two"',
      '/spec/outputs/0/step': 'must be the id of a step',
    });
  });

  it('refuses files outside the bundle', () => {
    const head = HEAD.replace('TaskPack', 'AnalyzerPack');
    const spec =
      'spec: { entrypoint: { runtime: node, file: ../x }, ecosystems: [npm], inputs: [{ id: a }], outputs: [{ id: a, mediaType: a/b }] }';
    expect(pointers(head + spec)).toEqual({ '/spec/entrypoint/file': expect.stringContaining('path of a file in the bundle') });
  });

  it('answers a manifest with thousands of faults quickly and briefly', () => {
    const rules = Array.from({ length: 10_000 }, () => '{}').join(',');
    const started = performance.now();
    const error = refusal(`${HEAD.replace('TaskPack', 'PolicyPack')}spec: { rules: [${rules}] }\n`);
    expect(error.errors).toHaveLength(32);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
