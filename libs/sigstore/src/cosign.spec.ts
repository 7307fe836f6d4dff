import { createHash } from 'node:crypto';
import { MEDIA_TYPES, sha256 } from '@packs/domain';
import { peer } from '@packs/testing';
import { Cosign } from './cosign.fixture';
import { SpecSigner, statementAbout } from './signer.fixture';
import { trustedKeyFromPem } from './trust-material';
import { verifyPackSignature } from './verify-pack-signature';

const { path: COSIGN, isWanted, note } = peer('cosign');
const suite = isWanted ? describe : describe.skip;

const ARTIFACT = Buffer.from('the bytes of a pack bundle');

suite(`bundles made by cosign${note}`, () => {
  let cosign: Cosign;

  beforeAll(() => {
    cosign = new Cosign();
    cosign.write('pack.tgz', ARTIFACT);
    cosign.write('statement.json', statementAbout(ARTIFACT));
  });

  afterAll(() => cosign.end());

  function verify(file: string, keys = [new SpecSigner('ed25519', 'stranger').key], artifact = ARTIFACT) {
    return verifyPackSignature({
      async *artifact() {
        yield artifact;
      },
      digest: `sha256:${createHash('sha256').update(artifact).digest('hex')}`,
      size: artifact.length,
      signature: { mediaType: MEDIA_TYPES.sigstoreBundle, content: cosign.read(file) },
      keys,
    });
  }

  describe.each(['ecdsa', 'p384', 'rsa', 'ed25519'] as const)('with a key of type %s', type => {
    beforeAll(async () => {
      await cosign.makeKey(COSIGN, type, type);
      const offline = ['--key', `${type}.key`, '--signing-config', 'offline.json', '--yes'];
      await cosign.run(COSIGN, 'sign-blob', ...offline, '--bundle', `${type}.blob.json`, 'pack.tgz');
      await cosign.run(COSIGN, 'attest-blob', ...offline, '--bundle', `${type}.attestation.json`, '--statement', 'statement.json');
    }, 120_000);

    // cosign 3.1 attests with Ed25519ph under an Ed25519 key, and refuses the result itself (sigstore/cosign pull request 5074).
    it.each(type === 'ed25519' ? ['blob'] : ['blob', 'attestation'])('verify as %s by that key', async kind => {
      const key = trustedKeyFromPem('cosign', cosign.read(`${type}.pub`).toString());
      const file = `${type}.${kind}.json`;
      expect(await verify(file, [key])).toEqual({ valid: true, key, keyId: sha256(derOf(key.publicKey)) });
      expect(await verify(file, [key], Buffer.from('other bytes'))).toMatchObject({ reason: 'ERR_PACK_SIGNATURE_INVALID' });
      expect(await verify(file)).toMatchObject({ reason: 'ERR_PACK_SIGNATURE_UNTRUSTED' });
    });
  });
});

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[A-Z ]+-----|\n/g, ''), 'base64');
}
