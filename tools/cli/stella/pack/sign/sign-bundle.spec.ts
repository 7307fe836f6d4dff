import { constants, createHash, createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { MEDIA_TYPES, sha256, SIGNATURE_SCHEMES, type SignatureScheme } from '@packs/domain';
import { trustedKeyFromPem, verifyPackSignature } from '@packs/sigstore';
import { signBundle } from './sign-bundle';
import { signingKeyFromPem } from './signing-key';

const ARTIFACT = Buffer.from('the bytes of a bundle');

function keyOf(scheme: SignatureScheme): { pem: string; publicKey: KeyObject } {
  const pair =
    scheme === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : scheme === 'ecdsa-p256-sha256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : scheme === 'ecdsa-p384-sha384'
          ? generateKeyPairSync('ec', { namedCurve: 'P-384' })
          : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { pem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), publicKey: pair.publicKey };
}

async function* artifact(): AsyncGenerator<Uint8Array> {
  yield ARTIFACT.subarray(0, 5);
  yield ARTIFACT.subarray(5);
}

async function signed(scheme: SignatureScheme) {
  const { pem, publicKey } = keyOf(scheme);
  const { document, digest } = await signBundle(artifact(), signingKeyFromPem(pem, scheme), 'dir/pack.tgz');
  expect(digest).toBe(sha256(ARTIFACT));
  return { document, bundle: JSON.parse(document), publicKey };
}

describe('signBundle', () => {
  it.each<[SignatureScheme, object]>([
    ['ecdsa-p256-sha256', {}],
    ['rsa-pkcs1-sha256', { padding: constants.RSA_PKCS1_PADDING }],
    ['rsa-pss-sha256', { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }],
  ])('signs the bytes with %s as cosign sign-blob does', async (scheme, parameters) => {
    const { bundle, publicKey } = await signed(scheme);
    expect(bundle.mediaType).toBe(MEDIA_TYPES.sigstoreBundle);
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    expect(bundle.verificationMaterial.publicKey).toEqual({ hint: createHash('sha256').update(spki).digest('base64') });
    const { messageDigest, signature } = bundle.messageSignature;
    expect(messageDigest).toEqual({ algorithm: 'SHA2_256', digest: createHash('sha256').update(ARTIFACT).digest('base64') });
    expect(verify('sha256', ARTIFACT, { key: publicKey, ...parameters }, Buffer.from(signature, 'base64'))).toBe(true);
  });

  it('signs with a P-384 key what cosign signs: SHA-384, which it also names the artifact by', async () => {
    const { bundle, publicKey } = await signed('ecdsa-p384-sha384');
    const { messageDigest, signature } = bundle.messageSignature;
    expect(messageDigest).toEqual({ algorithm: 'SHA2_384', digest: createHash('sha384').update(ARTIFACT).digest('base64') });
    expect(verify('sha384', ARTIFACT, publicKey, Buffer.from(signature, 'base64'))).toBe(true);
  });

  it('signs a statement about the digest with Ed25519', async () => {
    const { bundle, publicKey } = await signed('ed25519');
    const { payload, payloadType, signatures } = bundle.dsseEnvelope;
    const body = Buffer.from(payload, 'base64');
    const message = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `), body]);
    expect(verify(null, message, publicKey, Buffer.from(signatures[0].sig, 'base64'))).toBe(true);
    expect(JSON.parse(body.toString())).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'pack.tgz', digest: { sha256: sha256(ARTIFACT).slice(7) } }],
    });
  });

  it.each(SIGNATURE_SCHEMES)('makes with %s what the verifier accepts for these bytes alone', async scheme => {
    const { document, publicKey } = await signed(scheme);
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const signature = { mediaType: MEDIA_TYPES.sigstoreBundle, content: Buffer.from(document) };
    const keys = [trustedKeyFromPem('release', pem, scheme)];
    const request = { artifact, digest: sha256(ARTIFACT), size: ARTIFACT.length, signature, keys };
    expect(await verifyPackSignature(request)).toMatchObject({ valid: true });
    const other = Buffer.from('other bytes');
    const of = async function* () {
      yield other;
    };
    expect(await verifyPackSignature({ ...request, artifact: of, digest: sha256(other), size: other.length })).toMatchObject({
      valid: false,
    });
  });

  it('refuses keys no registry would trust', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const other = generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey;
    for (const key of [weak, other]) {
      expect(() => signingKeyFromPem(key.export({ type: 'pkcs8', format: 'pem' }).toString())).toThrow(
        expect.objectContaining({ code: 'ERR_PACK_TRUST_INVALID' }),
      );
    }
    const publicPem = createPublicKey(other).export({ type: 'spki', format: 'pem' }).toString();
    expect(() => signingKeyFromPem(publicPem)).toThrow('not a private key');
  });
});
