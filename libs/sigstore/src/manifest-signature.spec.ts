import { createHash } from 'node:crypto';
import { MEDIA_TYPES, sha256, type Digest, type SignatureMediaType } from '@packs/domain';
import { describeDocument } from './describe-document';
import { bundleDocument, dsseDocument, SpecSigner, statementAbout } from './signer.fixture';
import { encodeSimpleSignature } from './simple-signature';
import { verifyPackSignature } from './verify-pack-signature';

const BUNDLE = Buffer.from('the bundle');
const MANIFEST = Buffer.from('{"the":"manifest"}');
const manifest = { digest: sha256(MANIFEST), bytes: MANIFEST };

const signer = new SpecSigner('ecdsa-p256-sha256');
const stranger = new SpecSigner('ecdsa-p256-sha256', 'stranger');

interface Signed {
  readonly mediaType: SignatureMediaType;
  readonly content: Uint8Array;
}

async function verdictOn(signature: Signed, withManifest = true, keys = [signer.key]): Promise<string> {
  const result = await verifyPackSignature({
    async *artifact() {
      yield BUNDLE;
    },
    digest: sha256(BUNDLE),
    size: BUNDLE.length,
    ...(withManifest && { manifest }),
    signature,
    keys,
  });
  return result.valid ? 'valid' : result.reason;
}

const payload = (digest: Digest, type = 'cosign container image signature') =>
  Buffer.from(JSON.stringify({ critical: { identity: {}, image: { 'docker-manifest-digest': digest }, type }, optional: null }));
const simple = (text: Buffer, by = signer): Signed => ({
  mediaType: MEDIA_TYPES.simpleSignature,
  content: encodeSimpleSignature(text, by.sign(text)),
});

describe('a signature of the manifest', () => {
  const forms: [string, (message: Buffer, by?: SpecSigner) => Signed][] = [
    ['a raw signature', (message, by = signer) => by.raw(message)],
    ['a sigstore bundle of its bytes', (message, by = signer) => by.messageBundle(message)],
    [
      'a sigstore bundle of its bytes that claims no digest',
      (message, by = signer) =>
        bundleDocument({ messageSignature: { messageDigest: {}, signature: by.sign(message).toString('base64') } }, undefined),
    ],
    ['a DSSE envelope', (message, by = signer) => by.envelope(message)],
    ['a sigstore bundle with a statement', (message, by = signer) => by.dsseBundle(message)],
  ];

  it.each(forms)('in the form of %s is one of the bundle', async (_, sign) => {
    expect(await verdictOn(sign(MANIFEST))).toBe('valid');
    expect(await verdictOn(sign(BUNDLE))).toBe('valid');
    expect(await verdictOn(sign(MANIFEST, stranger))).not.toBe('valid');
    expect(await verdictOn(sign(Buffer.from('something else')))).toBe('ERR_PACK_SIGNATURE_INVALID');
  });

  it.each(forms)('in the form of %s is none where nobody has shown the manifest', async (_, sign) => {
    expect(await verdictOn(sign(MANIFEST), false)).toBe('ERR_PACK_SIGNATURE_INVALID');
  });

  it('is made by cosign 2 over a text that names it', async () => {
    expect(await verdictOn(simple(payload(manifest.digest)))).toBe('valid');
    expect(await verdictOn(simple(payload(manifest.digest)), false)).toBe('ERR_PACK_SIGNATURE_INVALID');
    expect(await verdictOn(simple(payload(manifest.digest), stranger))).toBe('ERR_PACK_SIGNATURE_INVALID');
    expect(await verdictOn(simple(payload(manifest.digest)), true, [])).toBe('ERR_PACK_SIGNATURE_UNTRUSTED');
  });

  it.each([
    ['names the bundle', payload(sha256(BUNDLE))],
    ['names something else', payload(sha256('else'))],
    ['is of another type', payload(manifest.digest, 'approval of lunch')],
    [
      'names a digest twice',
      Buffer.from(
        payload(manifest.digest)
          .toString()
          .replace('"image":{', `"image":{"docker-manifest-digest":"${sha256('x')}",`),
      ),
    ],
    ['is no JSON', Buffer.from('text')],
    ['has no critical part', Buffer.from('{}')],
  ])('is none when the text %s', async (_, text) => {
    expect(await verdictOn(simple(text))).toBe('ERR_PACK_SIGNATURE_INVALID');
  });

  it.each(['{}', '{"payload":"","signature":"","more":1}', '{"payload":"?","signature":"AA=="}', '{"payload":1,"signature":2}'])(
    'is none when its document is %s',
    async content => {
      expect(await verdictOn({ mediaType: MEDIA_TYPES.simpleSignature, content: Buffer.from(content) })).toBe('ERR_PACK_SIGNATURE_INVALID');
    },
  );
});

describe('describeDocument', () => {
  const bundle = (predicateType: string) =>
    bundleDocument({ dsseEnvelope: signer.envelopeOf(statementAbout(MANIFEST, { predicateType })) }, signer.hint).content;
  const SIGN = 'https://sigstore.dev/cosign/sign/v1';

  it.each<[string, string, Uint8Array, unknown]>([
    ['a raw signature', MEDIA_TYPES.rawSignature, signer.raw(MANIFEST).content, { kind: 'signature' }],
    ['a bundle of bytes', MEDIA_TYPES.sigstoreBundle, signer.messageBundle(MANIFEST).content, { kind: 'signature' }],
    ['cosign’s own statement', MEDIA_TYPES.sigstoreBundle, bundle(SIGN), { kind: 'signature' }],
    ['a statement', MEDIA_TYPES.sigstoreBundle, bundle('https://a.test/b'), { kind: 'attestation', predicateType: 'https://a.test/b' }],
    [
      'a bare envelope',
      MEDIA_TYPES.dsseEnvelope,
      signer.envelope(MANIFEST).content,
      { kind: 'attestation', predicateType: 'https://example.test/made' },
    ],
    ['an image signature', MEDIA_TYPES.simpleSignature, simple(payload(manifest.digest)).content, { kind: 'signature' }],
    ['an envelope of something else', MEDIA_TYPES.dsseEnvelope, dsseDocument(signer.envelopeOf(MANIFEST, 'text/plain')).content, undefined],
    ['a bundle without content', MEDIA_TYPES.sigstoreBundle, bundleDocument({}, signer.hint).content, undefined],
    ['no JSON', MEDIA_TYPES.sigstoreBundle, Buffer.from('{'), undefined],
    ['an empty raw signature', MEDIA_TYPES.rawSignature, Buffer.alloc(0), undefined],
    ['what is no such document', 'text/plain', Buffer.from('{}'), undefined],
  ])('tells %s', (_, mediaType, content, expected) => {
    expect(describeDocument(mediaType, content)).toEqual(expected);
  });

  it('tells a keyless bundle by its content too', () => {
    const document = JSON.parse(Buffer.from(bundle(SIGN)).toString()) as object;
    const certificate = { rawBytes: createHash('sha256').digest('base64') };
    const keyless = Buffer.from(JSON.stringify({ ...document, verificationMaterial: { certificate } }));
    expect(describeDocument(MEDIA_TYPES.sigstoreBundle, keyless)).toEqual({ kind: 'signature' });
  });
});
