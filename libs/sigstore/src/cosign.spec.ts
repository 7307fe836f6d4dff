import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { MEDIA_TYPES, sha256 } from '@packs/domain';
import { SpecSigner, statementAbout } from './signer.fixture';
import { trustedKeyFromPem } from './trust-material';
import { verifyPackSignature } from './verify-pack-signature';

const PEERS = process.env['PEERS_DIR'] ?? path.join(homedir(), '.cache/packs-peers');
const COSIGN = path.join(PEERS, 'cosign');
const isThere = existsSync(COSIGN);
// A run that promises its peers fails without them.
const isWanted = isThere || process.env['REQUIRE_PEERS'] === '1';
const suite = isWanted ? describe : describe.skip;

const ARTIFACT = Buffer.from('the bytes of a pack bundle');

/** A signing configuration that names no log and no clock keeps cosign off the network. */
const OFFLINE = { mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json', rekorTlogConfig: {}, tsaConfig: {} };

const KEY_PAIRS = {
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey,
  ed25519: () => generateKeyPairSync('ed25519').privateKey,
};

suite(`bundles made by cosign${isWanted ? '' : ' (skipped: no cosign in PEERS_DIR or ~/.cache/packs-peers)'}`, () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'packs-cosign-'));
    writeFileSync(path.join(folder, 'pack.tgz'), ARTIFACT);
    writeFileSync(path.join(folder, 'statement.json'), statementAbout(ARTIFACT));
    writeFileSync(path.join(folder, 'offline.json'), JSON.stringify(OFFLINE));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function cosign(...args: string[]): void {
    const env = { PATH: process.env['PATH'], HOME: folder, TUF_ROOT: path.join(folder, 'tuf'), COSIGN_PASSWORD: '', COSIGN_YES: 'true' };
    const { status, stderr } = spawnSync(COSIGN, args, { cwd: folder, env, encoding: 'utf8', timeout: 60_000 });
    if (status !== 0) throw new Error(`cosign ${args[0]} ended with ${status}: ${stderr}`);
  }

  function makeKey(type: 'ecdsa' | keyof typeof KEY_PAIRS): void {
    if (type === 'ecdsa') return cosign('generate-key-pair', '--output-key-prefix', type);
    writeFileSync(path.join(folder, `${type}.pem`), KEY_PAIRS[type]().export({ type: 'pkcs8', format: 'pem' }));
    cosign('import-key-pair', '--key', `${type}.pem`, '--output-key-prefix', type);
  }

  function verify(file: string, keys = [new SpecSigner('ed25519', 'stranger').key], artifact = ARTIFACT) {
    return verifyPackSignature({
      async *artifact() {
        yield artifact;
      },
      digest: `sha256:${createHash('sha256').update(artifact).digest('hex')}`,
      size: artifact.length,
      signature: { mediaType: MEDIA_TYPES.sigstoreBundle, content: readFileSync(path.join(folder, file)) },
      keys,
    });
  }

  describe.each(['ecdsa', 'rsa', 'ed25519'] as const)('with a key of type %s', type => {
    beforeAll(() => {
      makeKey(type);
      const offline = ['--key', `${type}.key`, '--signing-config', 'offline.json', '--yes'];
      cosign('sign-blob', ...offline, '--bundle', `${type}.blob.json`, 'pack.tgz');
      cosign('attest-blob', ...offline, '--bundle', `${type}.attestation.json`, '--statement', 'statement.json');
    }, 120_000);

    // cosign 3.1 attests with Ed25519ph under an Ed25519 key, and refuses the result itself (sigstore/cosign pull request 5074).
    it.each(type === 'ed25519' ? ['blob'] : ['blob', 'attestation'])('verify as %s by that key', async kind => {
      const key = trustedKeyFromPem('cosign', readFileSync(path.join(folder, `${type}.pub`), 'utf8'));
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
