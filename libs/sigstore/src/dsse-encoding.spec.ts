import { dsse } from '@sigstore/core';
import { sha256 } from '@packs/domain';
import { IN_TOTO_PAYLOAD_TYPE } from './in-toto-statement';
import { readAnyDocument } from './read-document';
import { dsseDocument, SpecSigner, statementAbout } from './signer.fixture';
import { reasonOf } from './verification-report';
import { verifyDocument } from './verify-document';

const ARTIFACT = Buffer.from('the bytes of a pack bundle');
const signer = new SpecSigner('ed25519');

/** [what, payload type, payload, what is signed, in hex]: DSSE v1.0, "Signature Definition": lengths are of bytes, in ASCII decimal without leading zeros. */
const VECTORS: readonly (readonly [string, string, string, string])[] = [
  ['an empty type and an empty payload', '', '', '445353457631203020203020'],
  ['an empty payload', 'a/b', '', '445353457631203320612f62203020'],
  ['a payload of one byte', 'a/b', '00', '445353457631203320612f6220312000'],
  ['a type of two-byte characters', 'é/ü', '7b7d', '445353457631203520c3a92fc3bc2032207b7d'],
  ['a type beyond the basic plane', '\u{1f4e6}', '61', '445353457631203420f09f93a620312061'],
  ['a payload with what looks like a length', 'a', '3120', '445353457631203120612032203120'],
];

describe('the pre-authentication encoding', () => {
  it.each(VECTORS)('of %s is that of DSSE v1.0', (_, type, payload, expected) => {
    expect(dsse.preAuthEncoding(type, Buffer.from(payload, 'hex')).toString('hex')).toBe(expected);
  });

  it('writes lengths in decimal', () => {
    const payload = Buffer.alloc(1_000_000, 'x');
    expect(dsse.preAuthEncoding('t', payload).subarray(0, 18).toString()).toBe('DSSEv1 1 t 1000000');
  });

  it('is of no two types and payloads the same', () => {
    const made = [
      ['a', ' 1 b'],
      ['a 4', '1 b'],
      ['a 4  1', 'b'],
      ['', 'a'],
      [' ', 'a'],
    ].map(([type = '', payload = '']) => dsse.preAuthEncoding(type, Buffer.from(payload)).toString('hex'));
    expect(new Set(made).size).toBe(made.length);
  });
});

describe('an envelope', () => {
  function judge(envelope: object): string {
    const document = () => readAnyDocument(dsseDocument(envelope).content);
    const trust = { roots: [], keys: [signer.key], keyEvidence: 'ignored' } as const;
    return reasonOf(verifyDocument({ document, subjects: [{ digest: sha256(ARTIFACT) }], trust })) ?? 'accepted';
  }

  it('is verified over type and payload together', () => {
    expect(judge(signer.envelopeOf(statementAbout(ARTIFACT)))).toBe('accepted');
    const signed = signer.envelopeOf(statementAbout(ARTIFACT), 'application/vnd.in-toto+json;v=1');
    expect(judge(signed)).toBe('statement-invalid');
    expect(judge({ ...signed, payloadType: IN_TOTO_PAYLOAD_TYPE })).toBe('signature-invalid');
  });

  it.each([
    ['with a type that is not ASCII', statementAbout(ARTIFACT), 'application/vnd.in-tötö+json'],
    ['with letters of another alphabet in its type', statementAbout(ARTIFACT), 'application/vnd.in-t\u043eto+json'],
    ['with an empty type', statementAbout(ARTIFACT), ''],
    ['with an empty payload', Buffer.alloc(0), IN_TOTO_PAYLOAD_TYPE],
  ])('%s is signed by its key, and no statement', (_, payload, type) => {
    expect(judge(signer.envelopeOf(payload, type))).toBe('statement-invalid');
  });

  it.each([
    ['base64 of the URL alphabet', 'payload', '_w=='],
    ['base64 without padding', 'payload', '/w'],
    ['base64 with spare bits', 'payload', '/x=='],
  ])('with %s is none', (_, member, value) => {
    expect(judge({ ...signer.envelopeOf(statementAbout(ARTIFACT)), [member]: value })).toBe('document-malformed');
  });
});
