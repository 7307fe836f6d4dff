import { createHash } from 'node:crypto';
import type { initializeTLog } from '@sigstore/mock';
import { MEDIA_TYPES } from '@packs/domain';

/** A certificate or a key, as a log and as a bundle name it. */
export interface Signed {
  readonly pem: string;
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
      signature: { content: by.signature.toString('base64'), publicKey: { content: Buffer.from(by.pem).toString('base64') } },
    },
  };
}

/** Rekor v1, dsse 0.0.1. */
export function loggedEnvelope(by: Signed, payload: Buffer, hollow: boolean): object {
  const payloadHash = { algorithm: 'sha256', value: createHash('sha256').update(payload).digest('hex') };
  const signatures = [{ ...(!hollow && { signature: by.signature.toString('base64') }), verifier: Buffer.from(by.pem).toString('base64') }];
  return { apiVersion: '0.0.1', kind: 'dsse', spec: { payloadHash, signatures } };
}

export function byCertificate(der: Buffer, signature: Buffer): Signed {
  return { pem: pemOf('CERTIFICATE', der), material: { certificate: { rawBytes: der.toString('base64') } }, signature };
}

export function byKey(der: Buffer, signature: Buffer): Signed {
  const hint = createHash('sha256').update(der).digest('base64');
  return { pem: pemOf('PUBLIC KEY', der), material: { publicKey: { hint } }, signature };
}

function pemOf(label: string, der: Buffer): string {
  return `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{64}(?!$)/g, '$&\n')}\n-----END ${label}-----\n`;
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
