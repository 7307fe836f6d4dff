import { constants, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { bundleToJSON, toDSSEBundle } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import { canonicalJson, digestHex, DomainError, type Digest, type SignatureScheme } from '@packs/domain';
import { StatementSigner, type Statement } from '@packs/ports';
import { IN_TOTO_PAYLOAD_TYPE } from './in-toto-statement';
import { keyIdOf } from './public-key';
import { signingHashOf } from './signature-scheme';
import { trustedKeyFromPem } from './trust-material';

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const KEY_MAX_BYTES = 16 * 1024;

interface Key {
  readonly object: KeyObject;
  readonly scheme: SignatureScheme;
  readonly id: Digest;
}

/** Signs with a private key in PEM that lies in a file of its owner alone. Without a key it says so when it is asked to sign. */
export class KeyFileSigner extends StatementSigner {
  private constructor(private readonly key: Key | undefined) {
    super();
  }

  /** @throws Error for a file that others can read, or that holds no key the product signs with */
  static async open(file: string | undefined): Promise<KeyFileSigner> {
    return new KeyFileSigner(file === undefined ? undefined : await readKey(file));
  }

  keyId(): Digest {
    return this.required().id;
  }

  async sign({ subjects, predicateType, predicate }: Statement): Promise<Buffer> {
    const key = this.required();
    const subject = subjects.map(({ name, digest }) => ({ name, digest: { sha256: digestHex(digest) } }));
    const statement = Buffer.from(canonicalJson({ _type: STATEMENT_TYPE, subject, predicateType, predicate }));
    const signature = signatureOf(key, dsse.preAuthEncoding(IN_TOTO_PAYLOAD_TYPE, statement));
    const keyHint = Buffer.from(digestHex(key.id), 'hex').toString('base64');
    const bundle = toDSSEBundle({ artifact: statement, artifactType: IN_TOTO_PAYLOAD_TYPE, signature, keyHint });
    return Buffer.from(`${JSON.stringify(bundleToJSON(bundle))}\n`);
  }

  private required(): Key {
    if (this.key) return this.key;
    throw new DomainError(
      'ERR_KIT_NO_KEY',
      'no signing key is configured (MIRROR_SIGNING_KEY_FILE): kits without a signature are not made',
    );
  }
}

async function readKey(file: string): Promise<Key> {
  const handle = await open(file, 'r');
  try {
    const { mode, size } = await handle.stat();
    if ((mode & 0o077) !== 0) throw new Error(`${file} can be read by others than its owner: chmod 600 ${file}`);
    if (size > KEY_MAX_BYTES) throw new Error(`${file} is no key`);
    const object = createPrivateKey(await handle.readFile());
    const spki = createPublicKey(object).export({ type: 'spki', format: 'pem' }).toString();
    const trusted = trustedKeyFromPem('exporter', spki);
    return { object, scheme: trusted.scheme, id: keyIdOf(trusted) };
  } finally {
    await handle.close();
  }
}

function signatureOf({ object, scheme }: Key, message: Buffer): Buffer {
  return sign(
    signingHashOf(scheme),
    message,
    scheme === 'rsa-pkcs1-sha256' ? { key: object, padding: constants.RSA_PKCS1_PADDING } : object,
  );
}
