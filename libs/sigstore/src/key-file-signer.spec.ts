import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KIT_PREDICATE_TYPE } from '@packs/contracts';
import { sha256 } from '@packs/domain';
import { KeyFileSigner } from './key-file-signer';
import { pemOf } from './signer.fixture';
import { trustedKeyFromPem } from './trust-material';
import { verifyKitSignature } from './verify-kit-signature';

const KIT = sha256('the kit');
const MANIFEST = sha256('its manifest');
const STATEMENT = {
  subjects: [
    { name: 'kit.tar', digest: KIT },
    { name: 'manifest.json', digest: MANIFEST },
  ],
  predicateType: KIT_PREDICATE_TYPE,
  predicate: {},
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'packs-signer-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function keyFile(privateKey: KeyObject, mode = 0o600): string {
  const file = join(folder, 'key.pem');
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode });
  chmodSync(file, mode);
  return file;
}

const PAIRS = {
  'ECDSA P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  Ed25519: () => generateKeyPairSync('ed25519'),
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

describe.each(Object.entries(PAIRS))('a signer with an %s key', (_kind, pair) => {
  it('signs what verifies under its public key, for each of its subjects', async () => {
    const { publicKey, privateKey } = pair();
    const signer = await KeyFileSigner.open(keyFile(privateKey));
    const exporter = trustedKeyFromPem('site-a', pemOf(publicKey));
    const signature = await signer.sign(STATEMENT);
    for (const subject of [KIT, MANIFEST]) {
      expect(verifyKitSignature(signature, subject, [exporter])).toEqual({
        exporter: { name: 'site-a', keyId: signer.keyId() },
        isAbout: true,
      });
    }
  });
});

describe('the signature of a kit', () => {
  it('tells a kit that was changed from one that a stranger signed', async () => {
    const [own, foreign] = [PAIRS.Ed25519(), PAIRS.Ed25519()];
    const signature = await (await KeyFileSigner.open(keyFile(own.privateKey))).sign(STATEMENT);
    expect(verifyKitSignature(signature, sha256('another kit'), [trustedKeyFromPem('site-a', pemOf(own.publicKey))]).isAbout).toBe(false);
    expect(() => verifyKitSignature(signature, KIT, [trustedKeyFromPem('site-b', pemOf(foreign.publicKey))])).toThrow(
      expect.objectContaining({ code: 'ERR_KIT_SIGNER' }),
    );
    expect(() => verifyKitSignature(signature, KIT, [])).toThrow(expect.objectContaining({ code: 'ERR_KIT_SIGNER' }));
  });

  it('is not one about something else that an exporter signed', async () => {
    const { publicKey, privateKey } = PAIRS.Ed25519();
    const signer = await KeyFileSigner.open(keyFile(privateKey));
    const signature = await signer.sign({ ...STATEMENT, predicateType: 'https://slsa.dev/provenance/v1' });
    expect(() => verifyKitSignature(signature, KIT, [trustedKeyFromPem('site-a', pemOf(publicKey))])).toThrow(
      expect.objectContaining({ code: 'ERR_KIT_SIGNER' }),
    );
  });
});

describe('a key file', () => {
  it('is refused when others can read it', async () => {
    await expect(KeyFileSigner.open(keyFile(PAIRS.Ed25519().privateKey, 0o640))).rejects.toThrow(/chmod 600/);
  });

  it('is refused when it holds a key that nobody would trust', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    await expect(KeyFileSigner.open(keyFile(privateKey))).rejects.toMatchObject({ code: 'ERR_PACK_TRUST_INVALID' });
  });

  it('is only missed when something is to be signed', async () => {
    const signer = await KeyFileSigner.open(undefined);
    expect(() => signer.keyId()).toThrow(expect.objectContaining({ code: 'ERR_KIT_NO_KEY' }));
    await expect(signer.sign(STATEMENT)).rejects.toMatchObject({ code: 'ERR_KIT_NO_KEY' });
  });
});
