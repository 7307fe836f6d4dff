import { constants, createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import seeds from '@sigstore/tuf/seeds.json';
import {
  canonicalJson,
  MEDIA_TYPES,
  sha256,
  SIGNATURE_SCHEMES,
  type SignatureMediaType,
  type SignatureScheme,
  type TrustMaterial,
} from '@packs/domain';
import { encodeTrustMaterial, readTrustMaterial, signingHashOf, trustedKeyFromPem, type VerificationTask } from '@packs/sigstore';
import { REPOSITORY_ROOT } from '../stack/repository-root';

/** A signature of one kind, and what it is verified by. */
export interface SignedKind {
  readonly name: string;
  readonly keyless: boolean;
  readonly task: VerificationTask;
  readonly artifact: Buffer;
  /** As it is stored, and parsed. */
  readonly stored: Buffer;
  readonly material: TrustMaterial;
  /** What the stock library needs beside the bundle; absent for what it does not read. */
  readonly stock?: { readonly root: object; readonly key?: KeyObject };
}

const ARTIFACT = Buffer.alloc(4096, 'the bytes of a pack bundle ');
const IN_TOTO = 'application/vnd.in-toto+json';
const CASES = join(REPOSITORY_ROOT, '../shared/testdata/sigstore-bundles');
const KEYLESS: readonly (readonly [string, string])[] = [
  ['keyless v0.1, promise and proof of the log', 'happy-path-v0.1'],
  ['keyless v0.2, promise and proof of the log', 'happy-path-v0.2'],
  ['keyless v0.3, promise and proof of the log', 'happy-path-v0.3-new-mediaType'],
  ['keyless v0.2 statement, timestamp, own root', 'intoto-with-custom-trust-root'],
  ['keyless v0.3, Rekor v2, timestamp', 'rekor2-checkpoint-cosigned'],
  ['keyless v0.3 statement, Rekor v2, timestamp', 'rekor2-dsse-happy-path'],
];
const LEGACY_OF = 'happy-path-v0.3-new-mediaType';

/** Without the keyless ones where the cases of the sigstore conformance suite do not lie beside the repository. */
export function signedKinds(): readonly SignedKind[] {
  const keyless = existsSync(CASES) ? [...KEYLESS.map(([name, folder]) => keylessKind(name, folder)), legacyKind()] : [];
  return [...SIGNATURE_SCHEMES.map(rawKind), envelopeKind(), bundleKind(), ...keyless];
}

function keyPair(scheme: SignatureScheme): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  if (scheme === 'ed25519') return generateKeyPairSync('ed25519');
  if (scheme === 'ecdsa-p256-sha256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return scheme === 'ecdsa-p384-sha384'
    ? generateKeyPairSync('ec', { namedCurve: 'P-384' })
    : generateKeyPairSync('rsa', { modulusLength: 3072 });
}

interface Signer {
  readonly material: Buffer;
  readonly publicKey: KeyObject;
  readonly sign: (message: Buffer) => Buffer;
}

function signerOf(scheme: SignatureScheme): Signer {
  const { publicKey, privateKey } = keyPair(scheme);
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return {
    material: encodeTrustMaterial({ keys: [trustedKeyFromPem('bench', pem, scheme)] }),
    publicKey,
    sign: message => sign(signingHashOf(scheme), message, { key: privateKey, ...(scheme === 'rsa-pss-sha256' && pss) }),
  };
}

type Parts = Pick<SignedKind, 'name' | 'stored' | 'stock'> & {
  readonly mediaType: SignatureMediaType;
  readonly content: Buffer;
  readonly artifact?: Buffer;
  readonly keyless?: boolean;
};

function kindOf({ mediaType, content, artifact = ARTIFACT, keyless = false, ...parts }: Parts): SignedKind {
  const subjects = [{ digest: sha256(artifact), bytes: artifact, kind: 'bundle' }] as const;
  const trust = sha256(parts.stored);
  const task = { kind: 'signature', trust, evaluatedAt: '2026-02-01T00:00:00.000Z', mediaType, content, subjects } as const;
  return { ...parts, keyless, artifact, task, material: readTrustMaterial(parts.stored) };
}

function rawKind(scheme: SignatureScheme): SignedKind {
  const signer = signerOf(scheme);
  return kindOf({ name: `raw, ${scheme}`, mediaType: MEDIA_TYPES.rawSignature, content: signer.sign(ARTIFACT), stored: signer.material });
}

function envelopeKind(): SignedKind {
  const signer = signerOf('ecdsa-p256-sha256');
  const subject = [{ name: 'pack', digest: { sha256: createHash('sha256').update(ARTIFACT).digest('hex') } }];
  const payload = Buffer.from(
    JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType: 'https://a.test/b', predicate: {} }),
  );
  const message = Buffer.concat([Buffer.from(`DSSEv1 ${IN_TOTO.length} ${IN_TOTO} ${payload.length} `), payload]);
  const signatures = [{ sig: signer.sign(message).toString('base64') }];
  const content = Buffer.from(JSON.stringify({ payload: payload.toString('base64'), payloadType: IN_TOTO, signatures }));
  return kindOf({ name: 'DSSE envelope, ecdsa-p256-sha256', mediaType: MEDIA_TYPES.dsseEnvelope, content, stored: signer.material });
}

function bundleKind(): SignedKind {
  const signer = signerOf('ecdsa-p256-sha256');
  const messageDigest = { algorithm: 'SHA2_256', digest: createHash('sha256').update(ARTIFACT).digest('base64') };
  const messageSignature = { messageDigest, signature: signer.sign(ARTIFACT).toString('base64') };
  const verificationMaterial = { publicKey: { hint: createHash('sha256').update(derOf(signer.publicKey)).digest('base64') } };
  const content = Buffer.from(JSON.stringify({ mediaType: MEDIA_TYPES.sigstoreBundle, verificationMaterial, messageSignature }));
  const stock = { root: publicGoodRoot(), key: signer.publicKey };
  return kindOf({ name: 'bundle, ecdsa-p256-sha256', mediaType: MEDIA_TYPES.sigstoreBundle, content, stored: signer.material, stock });
}

function keylessKind(name: string, folder: string): SignedKind {
  const own = join(CASES, folder, 'artifact');
  const rootFile = join(CASES, folder, 'trusted_root.json');
  const root: object = existsSync(rootFile) ? JSON.parse(readFileSync(rootFile, 'utf8')) : publicGoodRoot();
  return kindOf({
    name,
    keyless: true,
    mediaType: MEDIA_TYPES.sigstoreBundle,
    content: readFileSync(join(CASES, folder, 'bundle.sigstore.json')),
    artifact: readFileSync(existsSync(own) ? own : join(CASES, 'a.txt')),
    stored: encodeTrustMaterial({ keys: [], trustedRoots: [canonicalJson(root)] }),
    stock: { root },
  });
}

/** As cosign 2 writes the same: one certificate, one promise. The stock library does not read it. */
function legacyKind(): SignedKind {
  const { task, stored, artifact } = keylessKind('', LEGACY_OF);
  const { verificationMaterial, messageSignature } = JSON.parse(Buffer.from(task.content).toString());
  const [entry] = verificationMaterial.tlogEntries;
  const pem = `-----BEGIN CERTIFICATE-----\n${verificationMaterial.certificate.rawBytes.replace(/.{64}(?!$)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  const Payload = {
    body: entry.canonicalizedBody,
    integratedTime: Number(entry.integratedTime),
    logIndex: Number(entry.logIndex),
    logID: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
  };
  const rekorBundle = { SignedEntryTimestamp: entry.inclusionPromise.signedEntryTimestamp, Payload };
  const document = { base64Signature: messageSignature.signature, cert: Buffer.from(pem).toString('base64'), rekorBundle };
  const content = Buffer.from(JSON.stringify(document));
  return kindOf({ name: 'keyless, JSON of cosign 2', keyless: true, mediaType: MEDIA_TYPES.sigstoreBundle, content, artifact, stored });
}

function publicGoodRoot(): object {
  const [repository] = Object.values(seeds);
  if (!repository) throw new Error('@sigstore/tuf came without seeds');
  return JSON.parse(Buffer.from(repository.targets['trusted_root.json'], 'base64').toString()) as object;
}

function derOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}
