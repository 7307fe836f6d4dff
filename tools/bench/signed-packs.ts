import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MEDIA_TYPES, PACK_MANIFEST_FILE, type Digest, type PackManifest } from '@packs/domain';
import { buildBundle } from '@packs/pack-format';

export interface SignedPack {
  readonly packId: string;
  readonly version: string;
  readonly manifest: PackManifest;
  readonly bundle: Buffer;
  readonly digest: Digest;
  /** The document that `cosign sign-blob --bundle` writes for a key. */
  readonly signature: Buffer;
}

/** Versions are spread over so many packs, so that clients at work at once seldom meet in one. */
const PACKS = 8;
const AT_ONCE = 4;

/** Builds and signs packs as a user's tools do. Each has bytes of its own, which no compression makes smaller. */
export class SignedPacks {
  readonly publicKey: string;
  private readonly privateKey: KeyObject;
  private readonly keyHint: string;
  private made = 0;

  constructor(private readonly folder: string) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.privateKey = privateKey;
    this.publicKey = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    this.keyHint = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64');
  }

  /** Packs nobody has published, with bundles of `size` bytes or a few less; their packIds are `<family>-0`, `<family>-1` … */
  async make(count: number, size: number, family = 'bench'): Promise<SignedPack[]> {
    mkdirSync(this.folder, { recursive: true });
    const probe = await this.build(family, this.made++, 0);
    const payload = size - probe.bundle.length - 64;
    const made: SignedPack[] = [];
    const maker = async () => {
      while (made.length < count) {
        const slot = made.length++;
        made[slot] = await this.build(family, this.made++, payload);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, maker));
    return made;
  }

  private async build(family: string, number: number, payload: number): Promise<SignedPack> {
    const [packId, version] = [`${family}-${number % PACKS}`, `1.0.${number}`];
    const folder = await mkdtemp(join(this.folder, 'pack-'));
    try {
      const sources = join(folder, 'sources');
      mkdirSync(sources);
      await writeFile(join(sources, PACK_MANIFEST_FILE), packYaml(packId, version));
      await writeFile(join(sources, 'payload.bin'), randomBytes(payload));
      const file = join(folder, 'bundle.tgz');
      const { manifest, digest } = await buildBundle(sources, file);
      const bundle = await readFile(file);
      return { packId, version, manifest, bundle, digest, signature: this.sign(bundle, digest) };
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  private sign(bundle: Buffer, digest: Digest): Buffer {
    const messageDigest = { algorithm: 'SHA2_256', digest: Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64') };
    const signature = sign('sha256', bundle, this.privateKey).toString('base64');
    return Buffer.from(
      JSON.stringify({
        mediaType: MEDIA_TYPES.sigstoreBundle,
        verificationMaterial: { publicKey: { hint: this.keyHint } },
        messageSignature: { messageDigest, signature },
      }),
    );
  }
}

function packYaml(packId: string, version: string): string {
  return [
    'apiVersion: stellaops.io/pack.v1',
    'kind: TaskPack',
    'metadata:',
    `  packId: ${packId}`,
    '  name: A pack of the bench',
    `  version: ${version}`,
    '  description: One step over a file of random bytes.',
    '  tags: [bench]',
    'compatibility:',
    "  cli: '>=0.1.0'",
    'spec:',
    '  steps:',
    '    - id: count',
    '      run: [wc, -c, payload.bin]',
    '',
  ].join('\n');
}
