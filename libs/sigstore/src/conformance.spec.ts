import { createHash, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { MEDIA_TYPES } from '@packs/domain';
import { pemOf, SpecSigner } from './signer.fixture';
import { trustedKeyFromPem } from './trust-material';
import { verifyPackSignature } from './verify-pack-signature';

const REPOSITORY = path.resolve(__dirname, '../../..');
const CASES = path.resolve(REPOSITORY, '../shared/testdata/sigstore-bundles');
const isThere = existsSync(CASES);
const suite = isThere ? describe : describe.skip;
const reason = isThere ? '' : ' (skipped: ../shared/testdata/sigstore-bundles is not beside this repository)';

const read = (name: string, file: string) => readFileSync(path.join(CASES, name, file));
const keyOf = (name: string) => trustedKeyFromPem('managed', read(name, 'key.pub').toString());

function verify(name: string, keys = [keyOf('managed-key-happy-path')], artifact?: Buffer) {
  const own = path.join(CASES, name, 'artifact');
  const bytes = artifact ?? readFileSync(existsSync(own) ? own : path.join(CASES, 'a.txt'));
  return verifyPackSignature({
    async *artifact() {
      yield bytes;
    },
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    size: bytes.length,
    signature: { mediaType: MEDIA_TYPES.sigstoreBundle, content: read(name, 'bundle.sigstore.json') },
    keys,
  });
}

suite(`sigstore conformance bundles${reason}`, () => {
  const others = isThere ? readdirSync(CASES).filter(name => name !== 'a.txt' && !name.startsWith('managed-key')) : ['none'];

  it('managed-key-happy-path verifies with its key', async () => {
    expect(await verify('managed-key-happy-path')).toMatchObject({ valid: true, key: { name: 'managed' } });
  });

  it('managed-key-happy-path is refused over other bytes', async () => {
    expect(await verify('managed-key-happy-path', undefined, Buffer.from('other'))).toMatchObject({ reason: 'ERR_PACK_SIGNATURE_INVALID' });
  });

  it('managed-key-wrong-key_fail: the wrong key is no point of the curve and cannot be trusted', () => {
    expect(() => keyOf('managed-key-wrong-key_fail')).toThrow(expect.objectContaining({ code: 'ERR_PACK_TRUST_INVALID' }));
  });

  it('managed-key-wrong-key_fail is untrusted under another key of the same type', async () => {
    const { key } = new SpecSigner('ecdsa-p256-sha256');
    expect(await verify('managed-key-wrong-key_fail', [key])).toMatchObject({ valid: false, reason: 'ERR_PACK_SIGNATURE_UNTRUSTED' });
  });

  it.each(others)('%s, made without a key, is not accepted', async name => {
    const key = trustedKeyFromPem('managed', pemOf(certificateKey(name)));
    expect(await verify(name, [key])).toMatchObject({ valid: false });
  });

  it.each(others.filter(name => name.startsWith('happy-path')))('%s is refused because keyless is not accepted', async name => {
    expect(await verify(name)).toMatchObject({ reason: 'ERR_PACK_SIGNATURE_UNTRUSTED', message: expect.stringContaining('keyless') });
  });
});

/** Keyless bundles must not pass by their certificate's own key either; where there is none to be had any key does. */
function certificateKey(name: string): KeyObject {
  try {
    const { verificationMaterial: material } = JSON.parse(read(name, 'bundle.sigstore.json').toString());
    const raw = material.certificate?.rawBytes ?? material.x509CertificateChain.certificates[0].rawBytes;
    return new X509Certificate(Buffer.from(raw, 'base64')).publicKey;
  } catch {
    return generateKeyPairSync('ed25519').publicKey;
  }
}
