import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { digestHex, MEDIA_TYPES, type Digest, type TrustedKey } from '@packs/domain';
import { trustedKeyFromPem } from '@packs/sigstore';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const COSIGN_SIGN = 'https://sigstore.dev/cosign/sign/v1';
export const SLSA = 'https://slsa.dev/provenance/v1';

/** A key, and the documents that cosign makes with one: written out, so that the product's own signer has no part in them. */
export class PushingSigner {
  readonly key: TrustedKey;
  private readonly secret: KeyObject;
  private readonly hint: string;

  constructor(name: string) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.key = trustedKeyFromPem(name, publicKey.export({ type: 'spki', format: 'pem' }).toString());
    this.secret = privateKey;
    this.hint = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64');
  }

  signature(message: Uint8Array): Buffer {
    return sign(null, message, this.secret);
  }

  /** What `cosign sign` of cosign 3 makes, or `cosign attest` with another predicate type. */
  statement(subject: Digest, predicateType = COSIGN_SIGN): Buffer {
    const dsseEnvelope = this.envelope(subject, predicateType);
    return Buffer.from(
      JSON.stringify({ mediaType: MEDIA_TYPES.sigstoreBundle, verificationMaterial: { publicKey: { hint: this.hint } }, dsseEnvelope }),
    );
  }

  envelope(subject: Digest, predicateType = SLSA): object {
    const payload = Buffer.from(
      JSON.stringify({
        _type: 'https://in-toto.io/Statement/v1',
        subject: [{ digest: { sha256: digestHex(subject) } }],
        predicateType,
        predicate: {},
      }),
    );
    const message = Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload]);
    return {
      payload: payload.toString('base64'),
      payloadType: PAYLOAD_TYPE,
      signatures: [{ sig: this.signature(message).toString('base64') }],
    };
  }

  /** What `cosign sign-blob --bundle` writes. */
  ofBytes(bytes: Uint8Array): Buffer {
    const messageSignature = { signature: this.signature(bytes).toString('base64') };
    return Buffer.from(
      JSON.stringify({ mediaType: MEDIA_TYPES.sigstoreBundle, verificationMaterial: { publicKey: { hint: this.hint } }, messageSignature }),
    );
  }
}

/** What cosign 2 signs of an image. */
export function simpleSigning(manifest: Digest): Buffer {
  return Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': 'registry.test/acme/acme.hello' },
        image: { 'docker-manifest-digest': manifest },
        type: 'cosign container image signature',
      },
      optional: null,
    }),
  );
}
