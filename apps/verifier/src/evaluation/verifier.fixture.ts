import { gzipSync } from 'node:zlib';
import { MEDIA_TYPES, type SigningPolicy, type TrustMaterial } from '@packs/domain';
import { encodeTrustMaterial, readTrustMaterial, runTask, type VerificationAnswer, type VerificationTask } from '@packs/sigstore';
import { InMemoryBlobStore } from '@packs/testing';
import { AttestationEvaluator } from './attestation-evaluator';
import { SignatureEvaluator, type SignatureRef } from './signature-evaluator';
import { SignatureTimer } from './signature-timer';
import { SignatureVerifier } from './signature-verifier';
import { TrustMaterials, type TrustRef } from './trust-materials';

/** A store that hands bytes on in pieces smaller than any header. */
export function inPieces(): InMemoryBlobStore {
  return new InMemoryBlobStore(100);
}

class RecordingTimer extends SignatureTimer {
  readonly results: string[] = [];

  observe(seconds: number, result: string): void {
    if (seconds >= 0) this.results.push(result);
  }
}

/** What the threads run, in this one. */
class InlineSignatureVerifier extends SignatureVerifier {
  async verify(task: VerificationTask, material: Uint8Array): Promise<VerificationAnswer> {
    return runTask(task, readTrustMaterial(material));
  }
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
  const blobs = inPieces();
  const timer = new RecordingTimer();
  const verifier = new InlineSignatureVerifier();
  const signatures = new SignatureEvaluator(blobs, new TrustMaterials(blobs), verifier, timer, new AttestationEvaluator(blobs, verifier));
  return {
    blobs,
    timer,
    verifier,
    signatures,
    signature: (content: Buffer): SignatureRef => ({ ...blobs.put(content), mediaType: MEDIA_TYPES.sigstoreBundle }),
    trust: (keys: TrustMaterial['keys'], epoch = 3, trustedRoots?: TrustMaterial['trustedRoots']): TrustRef => {
      const material = blobs.put(encodeTrustMaterial({ keys, trustedRoots }));
      return { digest: material.digest, epoch, material };
    },
  };
}
