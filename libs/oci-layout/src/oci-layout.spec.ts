import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MirrorState } from '@packs/contracts';
import { canonicalJson, sha256 } from '@packs/domain';
import { aMirroredVersion } from '@packs/testing';
import { FileMirrorTargets } from './file-mirror-targets';
import { encodeMirrorState, parseMirrorState } from './mirror-state';
import { encodeIndex, stateDescriptorOf } from './oci-layout';

const versions = [aMirroredVersion(), aMirroredVersion({ version: '2.0.0-rc.1+build' })];
const state: MirrorState = {
  schema: 'stellaops.io/mirror-state.v1',
  tenant: 'acme',
  versions: versions.map(({ mirrored }) => mirrored),
  channels: [{ packId: 'hello', channel: 'edge', version: '1.0.0' }],
  withdrawn: [{ packId: 'bad', version: '1.0.0', manifestDigest: sha256('bad') }],
};

describe('the state of a mirror', () => {
  it('is RFC 8785 JSON, however many versions it has', () => {
    const many = { ...state, versions: Array.from({ length: 130 }, (_, n) => aMirroredVersion({ version: `1.0.${n}` }).mirrored) };
    for (const one of [state, many, { ...state, versions: [] }]) {
      expect(Buffer.concat([...encodeMirrorState(one)]).toString()).toBe(canonicalJson(one));
      expect(parseMirrorState(Buffer.from(canonicalJson(one)))).toEqual(one);
    }
  });

  it.each([
    ['is not JSON', '{'],
    ['is of another schema', canonicalJson({ ...state, schema: 'stellaops.io/mirror-state.v9' })],
    ['has a member nobody knows', canonicalJson({ ...state, more: 1 })],
    ['has a digest that is none', canonicalJson({ ...state, withdrawn: [{ packId: 'a', version: '1.0.0', manifestDigest: 'md5:0' }] })],
  ])('is refused when it %s', (_, text) => {
    expect(() => parseMirrorState(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'ERR_MIRROR_CORRUPT' }) as Error);
  });
});

describe('index.json', () => {
  const descriptor = { digest: sha256('state'), size: 5 };
  const bytes = Buffer.concat([...encodeIndex('acme', state.versions, descriptor)]);

  it('lists each pack under its tag, followed by what refers to it', () => {
    const index = JSON.parse(bytes.toString()) as {
      manifests: { digest: string; artifactType: string; annotations?: Record<string, string> }[];
    };
    expect(index).toMatchObject({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json' });
    expect(index.manifests.map(({ digest, annotations }) => [digest, annotations?.['org.opencontainers.image.ref.name']])).toEqual(
      versions.flatMap(({ mirrored: { manifest, referrers } }, at) => [
        [manifest.digest, ['acme/hello:1.0.0', 'acme/hello:2.0.0-rc.1_build'][at]],
        ...referrers.map(referrer => [referrer.manifest.digest, undefined]),
      ]),
    );
    expect(bytes.toString()).toBe(canonicalJson(index));
  });

  it('names the state that belongs to it', () => {
    expect(stateDescriptorOf(bytes)).toEqual(descriptor);
    for (const other of ['', '[]', 'null', '{}', '{"annotations":{"io.stellaops.mirror.state":"x"}}']) {
      expect(stateDescriptorOf(Buffer.from(other))).toBeUndefined();
    }
  });
});

describe('an OCI image layout', () => {
  it('has nothing but its own files, and no state but the one it shows', async () => {
    const root = mkdtempSync(join(tmpdir(), 'layout-'));
    try {
      const target = await new FileMirrorTargets(root).open({ tenant: 'acme', kind: 'oci-layout', location: 'north' });
      await target.prepare();
      const { mirrored, content } = aMirroredVersion();
      for (const object of target.objectsOf(mirrored)) {
        const bytes = content.get(object.digest) ?? Buffer.alloc(0);
        await target.write(
          object,
          (async function* () {
            yield bytes;
          })(),
        );
      }
      for (const channels of [[], state.channels]) await (await target.stage({ ...state, versions: [mirrored], channels })).commit();
      const folder = join(root, 'acme', 'north');
      expect((await readdir(folder)).toSorted()).toEqual(['.work', 'blobs', 'index.json', 'oci-layout']);
      expect(await readFile(join(folder, 'oci-layout'), 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}');
      // The version's, the empty config and one state.
      expect(await readdir(join(folder, 'blobs', 'sha256'))).toHaveLength(content.size + 2);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe('a plain directory', () => {
  it('has the documented files', async () => {
    const root = mkdtempSync(join(tmpdir(), 'layout-'));
    try {
      await mkdir(join(root, 'acme'));
      const target = await new FileMirrorTargets(root).open({ tenant: 'acme', kind: 'directory', location: 'north' });
      const { mirrored } = aMirroredVersion();
      const [signature, attestation] = mirrored.referrers.map(({ manifest, blobs }) =>
        [manifest, ...blobs].map(({ digest }) => digest.slice(7)),
      );
      expect(target.objectsOf(mirrored).map(({ path }) => path)).toEqual(
        [
          'manifest.json',
          'config.json',
          'bundle.tar.gz',
          `signatures/${signature?.[0]}/manifest.json`,
          `signatures/${signature?.[0]}/${signature?.[1]}`,
          `attestations/${attestation?.[0]}/manifest.json`,
          `attestations/${attestation?.[0]}/${attestation?.[1]}`,
        ].map(name => `packs/acme/hello/1.0.0/${name}`),
      );
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
