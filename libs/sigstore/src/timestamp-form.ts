import { RFC3161Timestamp, type ASN1Obj } from '@sigstore/core';
import { holdDer } from './der-form';
import { invalid } from './signature-fault';

const GRANTED = Buffer.from('3003020100', 'hex');
const SEQUENCE = 0x30;
const SET = 0x31;
const OID = 0x06;
const INTEGER = 0x02;
const OCTETS = 0x04;
const TAGGED_0 = 0xa0;

/** AlgorithmIdentifiers as DER, in hex: SHA-2, with and without a NULL (RFC 5754 §2); ECDSA with SHA-2 (§3.3); RSA (§3.2). */
const DIGESTS: readonly string[] = ['01', '02', '03'].flatMap(hash => [
  `300b06096086480165030402${hash}`,
  `300d06096086480165030402${hash}0500`,
]);
const SIGNATURES: readonly string[] = [
  ...['02', '03', '04'].map(hash => `300a06082a8648ce3d0403${hash}`),
  '300d06092a864886f70d0101010500',
  '300d06092a864886f70d01010b0500',
];
/** The signed attribute contentType with the value id-ct-TSTInfo (RFC 3161 §2.4.2). */
const CONTENT_TYPE_IS_TSTINFO = '301a06092a864886f70d010903310d060b2a864886f70d0109100104';

/**
 * Reads a timestamp response of which every byte has one value it may have, beside what the authority signed: a CMS message has much room that
 * no signature covers. The certificates it may carry are such room (RFC 5652 §5.1) and are neither read nor kept.
 * @throws SignatureFault
 */
export function readTimestamp(der: Buffer): RFC3161Timestamp {
  try {
    const copy = Buffer.from(der);
    const timestamp = RFC3161Timestamp.parse(copy);
    if (holdDer(timestamp.root, copy)) {
      requireForm(timestamp.root);
      demand(!Number.isNaN(timestamp.signingTime.getTime()) && timestamp.tstInfo.messageImprintHashedMessage.length > 0);
      return timestamp;
    }
  } catch {
    // One answer for whatever is not as it has to be.
  }
  throw invalid('a timestamp is not an RFC 3161 response in DER with one signer', 'timestamp-malformed');
}

function requireForm(response: ASN1Obj): void {
  const [status, token] = parts(response, SEQUENCE, 2);
  demand(status?.toDER().equals(GRANTED));
  const [contentType, tagged] = parts(token, SEQUENCE, 2);
  demand(contentType?.tag.toDER() === OID);
  const [signedData] = parts(tagged, TAGGED_0, 1);
  const members = signedData?.subs ?? [];
  demand(signedData?.tag.toDER() === SEQUENCE && (members.length === 4 || (members.length === 5 && members[3]?.tag.toDER() === TAGGED_0)));
  demand(hexOf(members[0]) === '020103');
  requireContent(members[2]);
  const [signer] = parts(members.at(-1), SET, 1);
  const [digest] = parts(members[1], SET, 1);
  requireSigner(signer, digest);
}

function requireContent(encapsulated: ASN1Obj | undefined): void {
  const [type, tagged] = parts(encapsulated, SEQUENCE, 2);
  demand(type?.tag.toDER() === OID);
  const [octets] = parts(tagged, TAGGED_0, 1);
  parts(octets, OCTETS, 1);
}

function requireSigner(signer: ASN1Obj | undefined, digest: ASN1Obj | undefined): void {
  const [version, sid, digestAlgorithm, attributes, signatureAlgorithm, signature] = parts(signer, SEQUENCE, 6);
  demand(hexOf(version) === '020101');
  const [issuer, serial] = parts(sid, SEQUENCE, 2);
  demand(issuer?.tag.toDER() === SEQUENCE && serial?.tag.toDER() === INTEGER);
  demand(DIGESTS.includes(hexOf(digestAlgorithm)) && hexOf(digestAlgorithm) === hexOf(digest));
  demand(attributes?.tag.toDER() === TAGGED_0);
  demand(attributes?.subs.some(attribute => hexOf(attribute) === CONTENT_TYPE_IS_TSTINFO));
  demand(SIGNATURES.includes(hexOf(signatureAlgorithm)));
  demand(signature?.tag.toDER() === OCTETS);
}

function parts(object: ASN1Obj | undefined, tag: number, count: number): readonly ASN1Obj[] {
  demand(object?.tag.toDER() === tag && object.subs.length === count);
  return object?.subs ?? [];
}

function hexOf(object: ASN1Obj | undefined): string {
  return object?.toDER().toString('hex') ?? '';
}

function demand(condition: boolean | undefined): void {
  if (condition !== true) throw new Error('not of the form');
}
