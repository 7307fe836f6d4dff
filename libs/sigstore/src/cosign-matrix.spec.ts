import { MEDIA_TYPES, sha256, type SignatureMediaType, type TrustedKey } from '@packs/domain';
import { peer, TestOciRegistry } from '@packs/testing';
import { Cosign } from './cosign.fixture';
import type { VerificationReason } from './reasons';
import { statementAbout } from './signer.fixture';
import { encodeSimpleSignature } from './simple-signature';
import { encodeTrustMaterial, readTrustMaterial, trustedKeyFromPem } from './trust-material';
import { runTask } from './verification-task';

const [cosign3, cosign2] = [peer('cosign'), peer('cosign2')];
const EVALUATED_AT = '2026-02-01T00:00:00.000Z';
const REPOSITORY = 'acme/hello';
const [BUNDLE, OTHER_BUNDLE] = [Buffer.from('the bytes of a pack bundle'), Buffer.from('the bytes of another')];
const [MANIFEST, OTHER_MANIFEST] = ['one', 'other'].map(name => manifestOf(name)) as [Buffer, Buffer];

interface Document {
  readonly mediaType: SignatureMediaType;
  readonly content: Buffer;
}

interface Format {
  readonly name: string;
  readonly by: typeof cosign3;
  /** Whether it is about the manifest, and not about the bundle. */
  readonly isImage?: true;
  readonly make: (of: 'one' | 'other') => Promise<Document>;
  /** The document without its signature. */
  readonly strip: (content: Buffer) => Buffer;
  readonly reasons: Readonly<Record<'wrong key' | 'wrong subject' | 'other digest' | 'stripped', VerificationReason>>;
}

function manifestOf(name: string): Buffer {
  const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: sha256('{}'), size: 2 };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: empty, layers: [empty], annotations: { name } }));
}

const without =
  (...path: readonly string[]) =>
  (content: Buffer) => {
    const document = JSON.parse(content.toString());
    const last = path.at(-1) ?? '';
    const parent = path.slice(0, -1).reduce((value, name) => value[name], document);
    parent[last] = Array.isArray(parent[last]) ? [] : typeof parent[last] === 'string' ? '' : undefined;
    return Buffer.from(JSON.stringify(document));
  };

describe.each(['ecdsa', 'rsa'] as const)('what cosign signs with a key of type %s', type => {
  const cosign = new Cosign();
  const made = new Map<string, Promise<Document>>();
  let registry: TestOciRegistry;
  let key: TrustedKey;
  let stranger: TrustedKey;

  const KEY = ['--key', 'release.key'];
  const OFFLINE_2 = ['--tlog-upload=false'];
  const OFFLINE_3 = ['--signing-config', 'offline.json'];
  const image = (of: string) => `${registry.host}/${REPOSITORY}@${sha256(of === 'one' ? MANIFEST : OTHER_MANIFEST)}`;

  /** The only layer of what lies under a tag of cosign 2, with its annotations. */
  function layerOf(of: string, kind: 'sig' | 'att') {
    const { manifests, blobs, tags } = registry.repository(REPOSITORY);
    const digest = sha256(of === 'one' ? MANIFEST : OTHER_MANIFEST);
    const { layers } = JSON.parse(String(manifests.get(tags.get(`${digest.replace(':', '-')}.${kind}`) ?? '')?.bytes));
    return { bytes: blobs.get(layers[0].digest) ?? Buffer.alloc(0), annotations: layers[0].annotations as Record<string, string> };
  }

  function referrerOf(of: string): Buffer {
    const { manifests, blobs } = registry.repository(REPOSITORY);
    const digest = sha256(of === 'one' ? MANIFEST : OTHER_MANIFEST);
    const found = [...manifests.values()]
      .map(({ bytes }) => JSON.parse(bytes.toString()))
      .find(({ subject }) => subject?.digest === digest);
    return blobs.get(found?.layers[0].digest) ?? Buffer.alloc(0);
  }

  const FORMATS: readonly Format[] = [
    {
      name: 'cosign 2 sign-blob: a raw signature in base64',
      by: cosign2,
      make: async of => {
        await cosign.run(cosign2.path, 'sign-blob', ...KEY, ...OFFLINE_2, '--output-signature', `${of}.sig`, of);
        return { mediaType: MEDIA_TYPES.rawSignature, content: cosign.read(`${of}.sig`) };
      },
      strip: () => Buffer.alloc(0),
      reasons: {
        'wrong key': 'signature-invalid',
        'wrong subject': 'signature-invalid',
        'other digest': 'signature-invalid',
        stripped: 'document-malformed',
      },
    },
    {
      name: 'cosign 2 sign-blob --bundle: JSON of its own',
      by: cosign2,
      make: async of => {
        await cosign.run(cosign2.path, 'sign-blob', ...KEY, ...OFFLINE_2, '--bundle', `${of}.legacy.json`, of);
        return { mediaType: MEDIA_TYPES.sigstoreBundle, content: cosign.read(`${of}.legacy.json`) };
      },
      strip: without('base64Signature'),
      reasons: {
        'wrong key': 'signature-invalid',
        'wrong subject': 'signature-invalid',
        'other digest': 'signature-invalid',
        stripped: 'signature-invalid',
      },
    },
    {
      name: 'cosign 2 attest-blob: a bare DSSE envelope',
      by: cosign2,
      make: async of => {
        const output = ['--output-signature', `${of}.dsse.json`];
        await cosign.run(cosign2.path, 'attest-blob', ...KEY, ...OFFLINE_2, '--statement', `${of}.statement`, ...output, of);
        return { mediaType: MEDIA_TYPES.dsseEnvelope, content: cosign.read(`${of}.dsse.json`) };
      },
      strip: without('signatures'),
      reasons: {
        'wrong key': 'signature-invalid',
        'wrong subject': 'subject-mismatch',
        'other digest': 'subject-mismatch',
        stripped: 'document-malformed',
      },
    },
    {
      name: 'cosign 2 sign: a .sig image',
      by: cosign2,
      isImage: true,
      make: async of => {
        await cosign.run(cosign2.path, 'sign', ...KEY, ...OFFLINE_2, image(of));
        const { bytes, annotations } = layerOf(of, 'sig');
        const signature = Buffer.from(annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64');
        return { mediaType: MEDIA_TYPES.simpleSignature, content: encodeSimpleSignature(bytes, signature, annotations) };
      },
      strip: without('signature'),
      reasons: {
        'wrong key': 'signature-invalid',
        'wrong subject': 'subject-mismatch',
        'other digest': 'subject-mismatch',
        stripped: 'signature-invalid',
      },
    },
    {
      name: 'cosign 2 attest: an .att image',
      by: cosign2,
      isImage: true,
      make: async of => {
        const predicate = ['--type', 'custom', '--predicate', 'predicate.json'];
        await cosign.run(cosign2.path, 'attest', ...KEY, ...OFFLINE_2, ...predicate, image(of));
        return { mediaType: MEDIA_TYPES.dsseEnvelope, content: layerOf(of, 'att').bytes };
      },
      strip: without('signatures'),
      reasons: {
        'wrong key': 'signature-invalid',
        'wrong subject': 'subject-mismatch',
        'other digest': 'subject-mismatch',
        stripped: 'document-malformed',
      },
    },
    {
      name: 'cosign 3 sign-blob: a sigstore bundle of bytes',
      by: cosign3,
      make: async of => {
        await cosign.run(cosign3.path, 'sign-blob', ...KEY, ...OFFLINE_3, '--bundle', `${of}.json`, of);
        return { mediaType: MEDIA_TYPES.sigstoreBundle, content: cosign.read(`${of}.json`) };
      },
      strip: without('messageSignature'),
      reasons: {
        'wrong key': 'key-untrusted',
        'wrong subject': 'subject-mismatch',
        'other digest': 'subject-mismatch',
        stripped: 'document-malformed',
      },
    },
    {
      name: 'cosign 3 attest-blob: a sigstore bundle of a statement',
      by: cosign3,
      make: async of => {
        const output = ['--bundle', `${of}.attestation.json`];
        await cosign.run(cosign3.path, 'attest-blob', ...KEY, ...OFFLINE_3, '--statement', `${of}.statement`, ...output);
        return { mediaType: MEDIA_TYPES.sigstoreBundle, content: cosign.read(`${of}.attestation.json`) };
      },
      strip: without('dsseEnvelope', 'signatures'),
      reasons: {
        'wrong key': 'key-untrusted',
        'wrong subject': 'subject-mismatch',
        'other digest': 'subject-mismatch',
        stripped: 'document-malformed',
      },
    },
    {
      name: 'cosign 3 sign: an OCI referrer',
      by: cosign3,
      isImage: true,
      make: async of => {
        await cosign.run(cosign3.path, 'sign', ...KEY, ...OFFLINE_3, image(of));
        return { mediaType: MEDIA_TYPES.sigstoreBundle, content: referrerOf(of) };
      },
      strip: without('dsseEnvelope', 'signatures'),
      reasons: {
        'wrong key': 'key-untrusted',
        'wrong subject': 'subject-mismatch',
        'other digest': 'subject-mismatch',
        stripped: 'document-malformed',
      },
    },
  ];

  beforeAll(async () => {
    if (!cosign3.isWanted && !cosign2.isWanted) return;
    registry = await TestOciRegistry.start({ referrersApi: true });
    const { manifests, blobs } = registry.repository(REPOSITORY);
    blobs.set(sha256('{}'), Buffer.from('{}'));
    for (const bytes of [MANIFEST, OTHER_MANIFEST]) {
      manifests.set(sha256(bytes), { mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes });
    }
    for (const [name, bytes] of [['one', BUNDLE] as const, ['other', OTHER_BUNDLE] as const]) {
      cosign.write(name, bytes);
      cosign.write(`${name}.statement`, statementAbout(bytes));
    }
    cosign.write('predicate.json', '{}');
    for (const name of ['release', 'stranger']) await cosign.makeKey(cosign3.isWanted ? cosign3.path : cosign2.path, name, type);
    key = trustedKeyFromPem('release', cosign.read('release.pub').toString());
    stranger = trustedKeyFromPem('release', cosign.read('stranger.pub').toString());
  }, 120_000);

  afterAll(async () => {
    cosign.end();
    await registry?.stop();
  });

  function documentOf({ name, make }: Format, of: 'one' | 'other' = 'one'): Promise<Document> {
    const known = made.get(`${name} ${of}`) ?? make(of);
    made.set(`${name} ${of}`, known);
    return known;
  }

  interface Question {
    readonly keys?: readonly TrustedKey[];
    readonly about?: 'one' | 'other';
    readonly bytes?: boolean;
  }

  function judge({ mediaType, content }: Document, { keys = [key], about = 'one', bytes = true }: Question = {}) {
    const [bundle, manifest] = about === 'one' ? [BUNDLE, MANIFEST] : [OTHER_BUNDLE, OTHER_MANIFEST];
    const material = encodeTrustMaterial({ keys });
    const subjects = [
      { digest: sha256(bundle), kind: 'bundle' as const, ...(bytes && { bytes: bundle }) },
      { digest: sha256(manifest), ...(bytes && { bytes: manifest }) },
    ];
    const task = { kind: 'signature', trust: sha256(material), evaluatedAt: EVALUATED_AT, mediaType, content, subjects } as const;
    const { outcome, signers, refusal } = runTask(task, readTrustMaterial(material));
    return refusal?.reason ?? `${outcome} ${signers.map(({ kind }) => kind).join()}`;
  }

  for (const format of FORMATS) {
    const suite = format.by.isWanted ? describe : describe.skip;
    suite(`as ${format.name}${format.by.note}`, () => {
      it('is accepted of its artifact, by bytes and by digest', async () => {
        const document = await documentOf(format);
        for (const bytes of [true, false]) expect(judge(document, { bytes })).toBe('verified key');
      }, 60_000);

      it('is refused under another key, and under none', async () => {
        const document = await documentOf(format);
        expect(judge(document, { keys: [stranger] })).toBe(format.reasons['wrong key']);
        expect(judge(document, { keys: [] })).toBe('key-untrusted');
      });

      it('is refused when it was made of another artifact', async () => {
        expect(judge(await documentOf(format, 'other'))).toBe(format.reasons['wrong subject']);
        expect(judge(await documentOf(format, 'other'), { about: 'other' })).toBe('verified key');
      }, 60_000);

      it('is refused of another digest', async () => {
        expect(judge(await documentOf(format), { about: 'other', bytes: false })).toBe(format.reasons['other digest']);
      });

      it('is refused without its signature', async () => {
        const { mediaType, content } = await documentOf(format);
        expect(judge({ mediaType, content: format.strip(content) })).toBe(format.reasons.stripped);
      });

      it('is refused when its key has expired, or does not count yet', async () => {
        const document = await documentOf(format);
        const window = (from: string, to: string) => [
          trustedKeyFromPem('release', key.publicKey, key.scheme, { notBefore: from, notAfter: to }),
        ];
        expect(judge(document, { keys: window('2026-01-01T00:00:00Z', '2026-01-31T00:00:00Z') })).toBe('key-expired');
        expect(judge(document, { keys: window('2026-02-02T00:00:00Z', '2026-03-01T00:00:00Z') })).toBe('key-not-yet-valid');
        expect(judge(document, { keys: window('2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z') })).toBe('verified key');
      });
    });
  }
});
