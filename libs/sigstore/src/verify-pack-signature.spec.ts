import { MEDIA_TYPES, sha256, SIGNATURE_SCHEMES, type SignatureScheme, type TrustedKey } from '@packs/domain';
import { keyIdOf } from './public-key';
import { bundleDocument, dsseDocument, SpecSigner, statementAbout } from './signer.fixture';
import { MAX_SIGNATURE_BYTES, verifyPackSignature, type PackSignature } from './verify-pack-signature';

const ARTIFACT = Buffer.from('the bytes of a pack bundle');
const INVALID = 'ERR_PACK_SIGNATURE_INVALID';
const UNTRUSTED = 'ERR_PACK_SIGNATURE_UNTRUSTED';
const FORMATS = ['raw', 'rawText', 'envelope', 'messageBundle', 'dsseBundle'] as const;

const signers = new Map<SignatureScheme, SpecSigner>(SIGNATURE_SCHEMES.map(scheme => [scheme, new SpecSigner(scheme, scheme)]));
const strangers = new Map<SignatureScheme, SpecSigner>(SIGNATURE_SCHEMES.map(scheme => [scheme, new SpecSigner(scheme, 'stranger')]));
const ecdsa = signerOf('ecdsa-p256-sha256');
const ALL_KEYS = [...signers.values()].map(({ key }) => key);

function signerOf(scheme: SignatureScheme, among = signers): SpecSigner {
  const signer = among.get(scheme);
  if (!signer) throw new Error(`no signer for ${scheme}`);
  return signer;
}

async function* inChunks(bytes: Uint8Array, size = 7): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function verify(signature: PackSignature, keys: readonly TrustedKey[] = ALL_KEYS, artifact: Uint8Array = ARTIFACT) {
  return verifyPackSignature({ artifact: () => inChunks(artifact), digest: sha256(artifact), size: artifact.length, signature, keys });
}

const json = (document: PackSignature) => JSON.parse(Buffer.from(document.content).toString());
const asText = (mediaType: PackSignature['mediaType'], text: string): PackSignature => ({ mediaType, content: Buffer.from(text) });

describe.each(SIGNATURE_SCHEMES)('a signature by a key of scheme %s', scheme => {
  const signer = signerOf(scheme);

  it.each(FORMATS)('as %s names the trusted key that made it', async format => {
    const result = await verify(signer[format](ARTIFACT));
    expect(result).toEqual({ valid: true, key: signer.key, keyId: keyIdOf(signer.key) });
  });

  it.each(FORMATS)('as %s is refused over other bytes', async format => {
    expect(await verify(signer[format](ARTIFACT), ALL_KEYS, Buffer.from('the bytes of a pack bundlf'))).toMatchObject({
      valid: false,
      reason: INVALID,
    });
  });

  it.each(FORMATS)('as %s is refused when another key is trusted in its place', async format => {
    const reason = format.endsWith('Bundle') ? UNTRUSTED : INVALID;
    expect(await verify(signer[format](ARTIFACT), [signerOf(scheme, strangers).key])).toMatchObject({ valid: false, reason });
  });

  it.each(FORMATS)('as %s is untrusted when nothing is trusted', async format => {
    expect(await verify(signer[format](ARTIFACT), [])).toMatchObject({ valid: false, reason: UNTRUSTED });
  });

  it('is refused with any one byte of it changed', async () => {
    const signature = signer.sign(ARTIFACT);
    for (let at = 0; at < signature.length; at += 5) {
      const mutated = Buffer.from(signature);
      mutated[at] = (mutated[at] ?? 0) ^ 0x10;
      expect(await verify({ mediaType: MEDIA_TYPES.rawSignature, content: mutated })).toMatchObject({ valid: false, reason: INVALID });
    }
  });

  it('is refused when it is longer or shorter', async () => {
    const signature = signer.sign(ARTIFACT);
    for (const content of [signature.subarray(1), signature.subarray(0, -1), Buffer.concat([signature, Buffer.of(0)])]) {
      expect(await verify({ mediaType: MEDIA_TYPES.rawSignature, content })).toMatchObject({ valid: false, reason: INVALID });
    }
  });
});

describe('the scheme of a key', () => {
  it.each([
    ['rsa-pss-sha256', 'rsa-pkcs1-sha256'],
    ['rsa-pkcs1-sha256', 'rsa-pss-sha256'],
  ] as const)('does not let a signature made by %s pass as %s', async (made, trusted) => {
    const signer = signerOf(made);
    for (const format of FORMATS) {
      expect(await verify(signer[format](ARTIFACT), [signer.under(trusted).key])).toMatchObject({ valid: false, reason: INVALID });
    }
  });

  it('refuses a key that claims a scheme of another key type', async () => {
    const key: TrustedKey = { ...ecdsa.key, scheme: 'ed25519' };
    await expect(verify(ecdsa.raw(ARTIFACT), [key])).rejects.toMatchObject({ code: 'ERR_PACK_TRUST_INVALID' });
  });
});

describe('the artifact', () => {
  it('has to be the bytes of the digest in the pass that verifies them', async () => {
    const request = { digest: sha256(ARTIFACT), size: ARTIFACT.length, signature: ecdsa.raw(ARTIFACT), keys: ALL_KEYS };
    for (const other of [Buffer.from('the bytes of a pack bundlE'), ARTIFACT.subarray(1), Buffer.concat([ARTIFACT, ARTIFACT])]) {
      await expect(verifyPackSignature({ ...request, artifact: () => inChunks(other) })).rejects.toMatchObject({
        code: 'ERR_PACK_CORRUPT',
      });
    }
  });

  it('is not read for an envelope', async () => {
    const artifact = (): AsyncIterable<Uint8Array> => {
      throw new Error('read');
    };
    const request = { artifact, digest: sha256(ARTIFACT), size: ARTIFACT.length, signature: ecdsa.envelope(ARTIFACT), keys: ALL_KEYS };
    expect(await verifyPackSignature(request)).toMatchObject({ valid: true });
  });

  it('passes the errors of its source on, unlike those of the signature', async () => {
    const broken = new Error('disk');
    const artifact = async function* (): AsyncIterable<Uint8Array> {
      yield ARTIFACT;
      throw broken;
    };
    const request = { artifact, digest: sha256(ARTIFACT), size: ARTIFACT.length, signature: ecdsa.raw(ARTIFACT), keys: ALL_KEYS };
    await expect(verifyPackSignature(request)).rejects.toBe(broken);
  });

  it('above 64 MiB needs an envelope for Ed25519', async () => {
    const signer = signerOf('ed25519');
    const size = 64 * 1024 * 1024 + 1;
    const request = { artifact: () => inChunks(ARTIFACT), digest: sha256(ARTIFACT), size, keys: ALL_KEYS };
    const direct = await verifyPackSignature({ ...request, signature: signer.raw(ARTIFACT) });
    expect(direct).toMatchObject({ valid: false, reason: INVALID, message: expect.stringContaining('in-toto') });
    expect(await verifyPackSignature({ ...request, signature: signer.envelope(ARTIFACT) })).toMatchObject({ valid: true });
  });

  it('of a large size is not hashed once for each of many keys', async () => {
    const keys = Array.from({ length: 9 }, (_, at) => new SpecSigner('ecdsa-p256-sha256', `key${at}`));
    const request = { artifact: () => inChunks(ARTIFACT), digest: sha256(ARTIFACT), size: 1024 ** 3 };
    const result = await verifyPackSignature({ ...request, signature: ecdsa.raw(ARTIFACT), keys: keys.map(({ key }) => key) });
    expect(result).toMatchObject({ valid: false, reason: INVALID, message: expect.stringContaining('name its key') });
  });
});

describe('the statement of an envelope', () => {
  const refused: readonly (readonly [string, Buffer])[] = [
    ['is about something else', statementAbout(Buffer.from('something else'))],
    ['has no subject', statementAbout(ARTIFACT, { subject: [] })],
    ['has an upper-case digest', statementAbout(ARTIFACT, { subject: [{ digest: { sha256: sha256(ARTIFACT).slice(7).toUpperCase() } }] })],
    ['names the digest as another algorithm', statementAbout(ARTIFACT, { subject: [{ digest: { sha512: sha256(ARTIFACT).slice(7) } }] })],
    ['has a subject without digests', statementAbout(ARTIFACT, { subject: [{ name: 'pack' }] })],
    ['has too many subjects', statementAbout(ARTIFACT, { subject: Array(1025).fill({ digest: { sha256: sha256(ARTIFACT).slice(7) } }) })],
    ['is of an unknown version', statementAbout(ARTIFACT, { _type: 'https://in-toto.io/Statement/v9' })],
    ['has no predicate type', statementAbout(ARTIFACT, { predicateType: undefined })],
    ['has a member twice', Buffer.from(statementAbout(ARTIFACT).toString().replace('{', '{"subject":[],'))],
    ['is not JSON', Buffer.from('pack')],
    ['is not an object', Buffer.from('[]')],
  ];

  it.each(refused)('that %s is refused', async (_, payload) => {
    expect(await verify(dsseDocument(ecdsa.envelopeOf(payload)))).toMatchObject({ valid: false, reason: INVALID });
  });

  it('may be in-toto v0.1', async () => {
    const payload = statementAbout(ARTIFACT, { _type: 'https://in-toto.io/Statement/v0.1' });
    expect(await verify(dsseDocument(ecdsa.envelopeOf(payload)))).toMatchObject({ valid: true });
  });

  it('of another payload type is refused', async () => {
    const envelope = ecdsa.envelopeOf(statementAbout(ARTIFACT), 'application/json');
    expect(await verify(dsseDocument(envelope))).toMatchObject({ valid: false, reason: INVALID });
  });
});

describe('an envelope', () => {
  it('is accepted by any of its signatures', async () => {
    const one = json(ecdsa.envelope(ARTIFACT));
    const other = json(signerOf('ed25519', strangers).envelope(ARTIFACT));
    const document = dsseDocument({ ...one, signatures: [...other.signatures, ...one.signatures] });
    expect(await verify(document)).toMatchObject({ valid: true, key: ecdsa.key });
  });

  it('with more signatures times keys than may be tried is refused', async () => {
    const keys = Array.from({ length: 9 }, (_, at) => new SpecSigner('ed25519', `key${at}`).key);
    const one = json(signerOf('ed25519').envelope(ARTIFACT));
    const signatures = Array.from({ length: 8 }, (_, at) => ({ sig: Buffer.alloc(64, at).toString('base64') }));
    const document = dsseDocument({ ...one, signatures });
    expect(await verify(document, keys)).toMatchObject({ valid: false, reason: INVALID, message: expect.stringContaining('too many') });
  });
});

describe('a bundle', () => {
  const good = json(ecdsa.messageBundle(ARTIFACT));
  const envelope = ecdsa.envelopeOf(statementAbout(ARTIFACT));

  it.each([
    'application/vnd.dev.sigstore.bundle+json;version=0.1',
    'application/vnd.dev.sigstore.bundle+json;version=0.2',
    'application/vnd.dev.sigstore.bundle+json;version=0.3',
    'application/vnd.dev.sigstore.bundle.v0.3+json',
  ])('of %s is read', async mediaType => {
    expect(await verify(bundleDocument(good, ecdsa.hint, { mediaType }))).toMatchObject({ valid: true });
  });

  it.each([
    ['has no hint', undefined],
    ['has an empty hint', ''],
    ['hints in hex', keyIdOf(ecdsa.key).slice(7)],
    ['hints by key id', keyIdOf(ecdsa.key)],
    ['hints by name', ecdsa.key.name],
  ])('that %s finds its key', async (_, hint) => {
    expect(await verify(bundleDocument({ messageSignature: good.messageSignature }, hint))).toMatchObject({ valid: true, key: ecdsa.key });
  });

  it.each([
    ['names an unknown key', signerOf('ecdsa-p256-sha256', strangers).hint, UNTRUSTED],
    ['names another trusted key', signerOf('ed25519').hint, INVALID],
  ])('that %s is refused though its signature is by a trusted key', async (_, hint, reason) => {
    expect(await verify(bundleDocument({ messageSignature: good.messageSignature }, hint))).toMatchObject({ valid: false, reason });
  });

  it.each([
    [
      'another message digest',
      { messageSignature: { ...good.messageSignature, messageDigest: { algorithm: 'SHA2_256', digest: 'AAAA' } } },
    ],
    [
      'a digest of another algorithm',
      { messageSignature: { ...good.messageSignature, messageDigest: { algorithm: 'SHA2_512', digest: 'AAAA' } } },
    ],
    ['a digest without algorithm', { messageSignature: { ...good.messageSignature, messageDigest: { digest: 'AAAA' } } }],
    ['an unknown media type', { mediaType: 'application/vnd.dev.sigstore.bundle.v0.4+json' }],
    ['two contents', { dsseEnvelope: envelope }],
    ['no content', { messageSignature: undefined }],
    ['an unknown member', { extra: 1 }],
    ['neither key nor certificate', { verificationMaterial: {} }],
    ['both key and certificate', { verificationMaterial: { publicKey: {}, certificate: { rawBytes: '' } } }],
    [
      'an envelope with two signatures',
      { messageSignature: undefined, dsseEnvelope: { ...envelope, signatures: [{ sig: 'AAAA' }, { sig: 'AAAA' }] } },
    ],
  ])('with %s is refused', async (_, changes) => {
    expect(await verify(bundleDocument(good, ecdsa.hint, changes))).toMatchObject({ valid: false, reason: INVALID });
  });

  it.each(['certificate', 'x509CertificateChain'])('with a %s is untrusted: keys alone are', async kind => {
    const document = bundleDocument(good, undefined, { verificationMaterial: { [kind]: { rawBytes: 'AAAA' } } });
    expect(await verify(document)).toEqual({ valid: false, reason: UNTRUSTED, message: 'keyless not accepted by this policy' });
  });
});

describe('a document', () => {
  const text = Buffer.from(ecdsa.messageBundle(ARTIFACT).content).toString();
  const signature = ecdsa.sign(ARTIFACT).toString('base64');

  it.each([
    ['not JSON', 'cosign'],
    ['null', 'null'],
    ['an array', '[]'],
    ['empty', ''],
    ['JSON after a byte order mark', `\ufeff${text}`],
    ['JSON with a member twice', text.replace('{', '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",')],
    ['JSON with a member twice, once escaped', text.replace('{', '{"\\u006dediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",')],
    ['nested 10,000 deep', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['larger than may be', text + ' '.repeat(MAX_SIGNATURE_BYTES)],
  ])('that is %s is refused with its reason', async (_, content) => {
    for (const mediaType of [MEDIA_TYPES.sigstoreBundle, MEDIA_TYPES.dsseEnvelope, MEDIA_TYPES.rawSignature]) {
      expect(await verify(asText(mediaType, content))).toMatchObject({ valid: false, reason: INVALID, message: expect.any(String) });
    }
  });

  it('that is not UTF-8 is refused', async () => {
    const content = Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.of(0xff), Buffer.from('}')]);
    expect(await verify({ mediaType: MEDIA_TYPES.sigstoreBundle, content })).toMatchObject({
      valid: false,
      message: expect.stringContaining('UTF-8'),
    });
  });

  it.each([
    ['without padding', signature.replace(/=*$/, '') + (signature.endsWith('=') ? '' : 'A')],
    ['in the URL alphabet', `_-${signature.slice(2)}`],
    ['with a space', `${signature.slice(0, 4)} ${signature.slice(4)}`],
  ])('of base64 %s is refused', async (_, content) => {
    expect(await verify(asText(MEDIA_TYPES.rawSignature, content))).toMatchObject({ valid: false, reason: INVALID });
    const bundle = JSON.parse(text);
    const document = bundleDocument({ messageSignature: { ...bundle.messageSignature, signature: content } }, ecdsa.hint);
    expect(await verify(document)).toMatchObject({ valid: false, reason: INVALID });
  });

  it('of base64 may be wrapped in lines when it is raw', async () => {
    const wrapped = signature.replace(/.{64}/g, '$&\n');
    expect(await verify(asText(MEDIA_TYPES.rawSignature, wrapped))).toMatchObject({ valid: true });
  });

  it('of an unknown media type is refused', async () => {
    const unknown = 'text/plain' as PackSignature['mediaType'];
    expect(await verify(asText(unknown, text))).toMatchObject({ valid: false, reason: INVALID });
  });
});
