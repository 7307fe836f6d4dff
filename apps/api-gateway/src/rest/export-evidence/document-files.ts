import { digestHex, MEDIA_TYPES, type Digest } from '@packs/domain';

const ENDINGS: Readonly<Record<string, string>> = {
  [MEDIA_TYPES.sigstoreBundle]: 'sigstore.json',
  [MEDIA_TYPES.dsseEnvelope]: 'dsse.json',
  [MEDIA_TYPES.simpleSignature]: 'simple.json',
  [MEDIA_TYPES.rawSignature]: 'sig',
};

/** Where a document lies in the evidence: its name says what it is and what bytes it has. */
export function documentFile(folder: 'signatures' | 'attestations', digest: Digest, mediaType: string): string {
  return `${folder}/${digestHex(digest)}.${ENDINGS[mediaType] ?? 'bin'}`;
}

export function jsonFile(folder: 'verdicts' | 'policies' | 'trust' | 'roots', digest: Digest): string {
  return `${folder}/${digestHex(digest)}.json`;
}

export function keyFile(keyId: Digest): string {
  return `keys/${digestHex(keyId)}.pem`;
}
