import { constants, createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { dsse } from '@sigstore/core';
import { MEDIA_TYPES, sha256, type SignatureScheme, type TrustedKey } from '@packs/domain';
import { IN_TOTO_PAYLOAD_TYPE } from './in-toto-statement';
import { signingHashOf } from './signature-scheme';
import { trustedKeyFromPem } from './trust-material';
import type { PackSignature } from './verify-pack-signature';

type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

const PAIRS: Readonly<Record<SignatureScheme, () => Pair>> = {
  'rsa-pkcs1-sha256': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'rsa-pss-sha256': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'ecdsa-p256-sha256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'ecdsa-p384-sha384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ed25519: () => generateKeyPairSync('ed25519'),
};

export const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

/** Signs as people's tools do, with a key of its own. For specs. */
export class SpecSigner {
  private readonly pair: Pair;
  readonly key: TrustedKey;

  constructor(
    readonly scheme: SignatureScheme,
    name = 'release',
    pair = PAIRS[scheme](),
  ) {
    this.pair = pair;
    this.key = trustedKeyFromPem(name, pemOf(pair.publicKey), scheme);
  }

  /** The same key under another scheme. */
  under(scheme: SignatureScheme): SpecSigner {
    return new SpecSigner(scheme, this.key.name, this.pair);
  }

  /** As cosign writes a hint: base64 of the SHA-256 of the key's DER. */
  get hint(): string {
    const der = this.pair.publicKey.export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(der).digest('base64');
  }

  sign(message: Uint8Array): Buffer {
    const key = this.pair.privateKey;
    if (this.scheme !== 'rsa-pss-sha256') return sign(signingHashOf(this.scheme), message, key);
    return sign('sha256', message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
  }

  raw(artifact: Uint8Array): PackSignature {
    return { mediaType: MEDIA_TYPES.rawSignature, content: this.sign(artifact) };
  }

  rawText(artifact: Uint8Array): PackSignature {
    return { mediaType: MEDIA_TYPES.rawSignature, content: Buffer.from(`${this.sign(artifact).toString('base64')}\n`) };
  }

  envelopeOf(payload: Uint8Array, payloadType = IN_TOTO_PAYLOAD_TYPE): object {
    const sig = this.sign(dsse.preAuthEncoding(payloadType, Buffer.from(payload))).toString('base64');
    return { payload: Buffer.from(payload).toString('base64'), payloadType, signatures: [{ sig, keyid: 'anything' }] };
  }

  envelope(artifact: Uint8Array): PackSignature {
    return dsseDocument(this.envelopeOf(statementAbout(artifact)));
  }

  messageBundle(artifact: Uint8Array): PackSignature {
    const hash = signingHashOf(this.scheme);
    const digest = hash && createHash(hash).update(artifact).digest('base64');
    // cosign gives no digest for Ed25519.
    const messageDigest = hash ? { algorithm: hash === 'sha384' ? 'SHA2_384' : 'SHA2_256', digest } : {};
    return bundleDocument({ messageSignature: { messageDigest, signature: this.sign(artifact).toString('base64') } }, this.hint);
  }

  dsseBundle(artifact: Uint8Array): PackSignature {
    return bundleDocument({ dsseEnvelope: this.envelopeOf(statementAbout(artifact)) }, this.hint);
  }
}

export function statementAbout(artifact: Uint8Array, changes: Readonly<Record<string, unknown>> = {}): Buffer {
  const subject = [
    { name: 'other', digest: { sha256: 'ab'.repeat(32) } },
    { name: 'pack', digest: { sha256: sha256(artifact).slice(7) } },
  ];
  return Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject,
      predicateType: 'https://example.test/made',
      predicate: {},
      ...changes,
    }),
  );
}

export function bundleDocument(content: object, hint: string | undefined, changes: object = {}): PackSignature {
  const bundle = { mediaType: MEDIA_TYPES.sigstoreBundle, verificationMaterial: { publicKey: { hint } }, ...content, ...changes };
  return { mediaType: MEDIA_TYPES.sigstoreBundle, content: Buffer.from(JSON.stringify(bundle)) };
}

export function dsseDocument(envelope: object): PackSignature {
  return { mediaType: MEDIA_TYPES.dsseEnvelope, content: Buffer.from(JSON.stringify(envelope)) };
}
