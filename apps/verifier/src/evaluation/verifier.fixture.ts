import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { DomainError, MEDIA_TYPES, sha256, type SigningPolicy, type TrustMaterial } from '@packs/domain';
import { BlobStore, type BlobRef, type StoredBlob, type WriteExpectation } from '@packs/ports';
import { encodeTrustMaterial, trustedKeyFromPem } from '@packs/sigstore';
import { SignatureEvaluator, type SignatureRef } from './signature-evaluator';
import { SignatureTimer } from './signature-timer';
import { TrustMaterials, type TrustRef } from './trust-materials';

export class MemoryBlobs extends BlobStore {
  readonly objects = new Map<string, Buffer>();
  readonly reads: string[] = [];

  async write(source: AsyncIterable<Uint8Array>, expect: WriteExpectation): Promise<StoredBlob> {
    const parts: Uint8Array[] = [];
    for await (const part of source) parts.push(part);
    const ref = this.put(Buffer.concat(parts));
    if (expect.digest && expect.digest !== ref.digest) throw new DomainError('ERR_PACK_DIGEST_MISMATCH', 'other bytes');
    return { ...ref, blockChecksums: '' };
  }

  put(bytes: Buffer): BlobRef {
    const objectKey = `object-${this.objects.size}`;
    this.objects.set(objectKey, bytes);
    return { digest: sha256(bytes), size: bytes.length, objectKey };
  }

  async *read({ objectKey }: BlobRef): AsyncIterable<Uint8Array> {
    this.reads.push(objectKey);
    const bytes = this.objects.get(objectKey);
    if (!bytes) throw new DomainError('ERR_PACK_CORRUPT', `no object ${objectKey}`);
    for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100);
  }

  async remove(objectKey: string): Promise<void> {
    this.objects.delete(objectKey);
  }

  async check(): Promise<void> {}
}

export class RecordingTimer extends SignatureTimer {
  readonly results: string[] = [];

  observe(seconds: number, result: string): void {
    if (seconds >= 0) this.results.push(result);
  }
}

export function aSigner(name: string) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key = trustedKeyFromPem(name, publicKey.export({ type: 'spki', format: 'pem' }).toString());
  const hint = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
  const bundle = (artifact: Buffer, signature = sign(null, artifact, privateKey)): Buffer =>
    Buffer.from(
      JSON.stringify({
        mediaType: MEDIA_TYPES.sigstoreBundle,
        verificationMaterial: { publicKey: { hint } },
        messageSignature: { signature: signature.toString('base64') },
      }),
    );
  return { key, bundle };
}

export const MANIFEST = `apiVersion: stellaops.io/pack.v1
kind: TaskPack
metadata: { packId: acme.hello, name: Hello, version: 1.0.0 }
spec: { steps: [{ id: greet, run: [echo] }] }
`;

/** A bundle that holds nothing but its manifest. */
export function aBundle(manifest = MANIFEST): Buffer {
  const header = Buffer.alloc(512);
  const size = Buffer.byteLength(manifest);
  header.write('pack.yaml');
  header.write('0000644\0', 100);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  const body = Buffer.alloc(Math.ceil(size / 512) * 512);
  body.write(manifest);
  return gzipSync(Buffer.concat([header, body, Buffer.alloc(1024)]));
}

export function aPolicy(changes: Partial<SigningPolicy> = {}): SigningPolicy {
  return { name: 'default', version: 1, rule: { keyRef: 'release' }, unsigned: 'reject', ...changes };
}

/** The parts of a verifier over one store, and what its requests are made of. */
export function aVerifier() {
  const blobs = new MemoryBlobs();
  const timer = new RecordingTimer();
  const signatures = new SignatureEvaluator(blobs, new TrustMaterials(blobs), timer);
  return {
    blobs,
    timer,
    signatures,
    signature: (content: Buffer): SignatureRef => ({ ...blobs.put(content), mediaType: MEDIA_TYPES.sigstoreBundle }),
    trust: (keys: TrustMaterial['keys'], epoch = 3): TrustRef => {
      const material = blobs.put(encodeTrustMaterial({ keys }));
      return { digest: material.digest, epoch, material };
    },
  };
}
