import { createHash } from 'node:crypto';
import type { initializeTLog } from '@sigstore/mock';
import { MEDIA_TYPES } from '@packs/domain';

export interface Signed {
  /** Of the certificate or of the key. */
  readonly pem: string;
  /** How a bundle names it. */
  readonly material: object;
  readonly signature: Buffer;
}

type LogEntry = Awaited<ReturnType<Awaited<ReturnType<typeof initializeTLog>>['log']>>[string];

/** Rekor v1, hashedrekord 0.0.1. */
export function hashedRekord(by: Signed, digest: Buffer): object {
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: digest.toString('hex') } },
      signature: { content: by.signature.toString('base64'), publicKey: { content: encoded(by) } },
    },
  };
}

/** Rekor v1, dsse 0.0.1. */
export function loggedEnvelope(by: Signed, payload: Buffer, hollow: boolean): object {
  const payloadHash = { algorithm: 'sha256', value: createHash('sha256').update(payload).digest('hex') };
  const signatures = [{ ...(!hollow && { signature: by.signature.toString('base64') }), verifier: encoded(by) }];
  return { apiVersion: '0.0.1', kind: 'dsse', spec: { payloadHash, signatures } };
}

export function pemOf(label: 'CERTIFICATE' | 'PUBLIC KEY', der: string): string {
  return `-----BEGIN ${label}-----\n${der.replace(/.{64}(?!$)/g, '$&\n')}\n-----END ${label}-----\n`;
}

function encoded({ pem }: Signed): string {
  return Buffer.from(pem).toString('base64');
}

interface Proof {
  readonly entry: LogEntry;
  readonly kind: 'hashedrekord' | 'dsse';
  /** An RFC 3161 response in base64, in place of the log's promise. */
  readonly timestamp?: string;
}

export function bundleOf({ material }: Signed, { entry, kind, timestamp }: Proof, content: object): Buffer {
  const { inclusionProof, signedEntryTimestamp } = entry.verification ?? {};
  const logged = {
    logIndex: String(timestamp === undefined ? entry.logIndex : inclusionProof?.logIndex),
    logId: { keyId: Buffer.from(entry.logID, 'hex').toString('base64') },
    kindVersion: { kind, version: '0.0.1' },
    ...(timestamp === undefined && { integratedTime: String(entry.integratedTime), inclusionPromise: { signedEntryTimestamp } }),
    inclusionProof: {
      logIndex: String(inclusionProof?.logIndex),
      rootHash: Buffer.from(inclusionProof?.rootHash ?? '', 'hex').toString('base64'),
      treeSize: String(inclusionProof?.treeSize),
      hashes: inclusionProof?.hashes ?? [],
      checkpoint: { envelope: inclusionProof?.checkpoint },
    },
    canonicalizedBody: entry.body,
  };
  const verificationMaterial = {
    ...material,
    tlogEntries: [logged],
    ...(timestamp !== undefined && { timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: timestamp }] } }),
  };
  return Buffer.from(JSON.stringify({ mediaType: MEDIA_TYPES.sigstoreBundle, verificationMaterial, ...content }));
}
