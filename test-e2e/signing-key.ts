import { constants, createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { digestOf } from './pack-bundle';

/** What a publish sends as a signature. */
export interface SignatureDocument {
  readonly mediaType: string;
  readonly content: Buffer;
}

export type Scheme = 'rsa-pkcs1-sha256' | 'rsa-pss-sha256' | 'ecdsa-p256-sha256' | 'ed25519';
export const SCHEMES: readonly Scheme[] = ['rsa-pkcs1-sha256', 'rsa-pss-sha256', 'ecdsa-p256-sha256', 'ed25519'];

const IN_TOTO = 'application/vnd.in-toto+json';

const PAIRS: Readonly<Record<Scheme, () => { publicKey: KeyObject; privateKey: KeyObject }>> = {
  'rsa-pkcs1-sha256': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'rsa-pss-sha256': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'ecdsa-p256-sha256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ed25519: () => generateKeyPairSync('ed25519'),
};

/** A publisher's key. Its signatures are made with node:crypto alone, none of the product's code. */
export class SigningKey {
  readonly publicKey: string;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly keyId: string;
  private readonly privateKey: KeyObject;
  private readonly hint: string;

  constructor(
    readonly name: string,
    readonly scheme: Scheme = 'ecdsa-p256-sha256',
  ) {
    const { publicKey, privateKey } = PAIRS[scheme]();
    const der = publicKey.export({ type: 'spki', format: 'der' });
    this.privateKey = privateKey;
    this.publicKey = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    this.keyId = digestOf(der);
    this.hint = createHash('sha256').update(der).digest('base64');
  }

  /** As `cosign sign-blob --bundle` writes it. */
  sigstore(artifact: Uint8Array): SignatureDocument {
    const digest = createHash('sha256').update(artifact).digest('base64');
    return this.document('application/vnd.dev.sigstore.bundle.v0.3+json', {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: this.hint } },
      messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest }, signature: this.sign(artifact).toString('base64') },
    });
  }

  /** An in-toto statement about the artifact in a DSSE envelope. */
  dsse(artifact: Uint8Array): SignatureDocument {
    return this.attestation(digestOf(artifact), 'https://example.test/signed');
  }

  /** An in-toto statement about what has the digest, in a DSSE envelope (DSSE v1.0). */
  attestation(digest: string, predicateType: string, predicate: object = {}): SignatureDocument {
    const subject = [{ name: 'bundle.tgz', digest: { sha256: digest.slice('sha256:'.length) } }];
    return this.envelope(JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate }));
  }

  /** Any payload in a DSSE envelope. */
  envelope(text: string, payloadType = IN_TOTO): SignatureDocument {
    const payload = Buffer.from(text);
    const message = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `), payload]);
    return this.document('application/vnd.dsse.envelope.v1+json', {
      payload: payload.toString('base64'),
      payloadType,
      signatures: [{ sig: this.sign(message).toString('base64') }],
    });
  }

  /** PKCS#8. */
  privatePem(): string {
    return this.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  }

  /** The signature's bytes. */
  raw(artifact: Uint8Array): SignatureDocument {
    return { mediaType: 'application/vnd.stellaops.pack.signature.v1', content: this.sign(artifact) };
  }

  private document(mediaType: string, content: object): SignatureDocument {
    return { mediaType, content: Buffer.from(JSON.stringify(content)) };
  }

  private sign(message: Uint8Array): Buffer {
    const key = this.privateKey;
    if (this.scheme === 'ed25519') return sign(null, message, key);
    if (this.scheme !== 'rsa-pss-sha256') return sign('sha256', message, key);
    return sign('sha256', message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
  }
}
