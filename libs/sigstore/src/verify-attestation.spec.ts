import { dsse } from '@sigstore/core';
import { MEDIA_TYPES, sha256, SIGNATURE_SCHEMES, type AttestationMediaType, type TrustedKey } from '@packs/domain';
import { MAX_ATTESTATION_BYTES } from './attestation-limits';
import { keyIdOf } from './public-key';
import { bundleDocument, dsseDocument, SpecSigner, statementAbout } from './signer.fixture';
import { verifyAttestation } from './verify-attestation';
import type { PackSignature } from './verify-pack-signature';

const BUNDLE = Buffer.from('the bytes of a bundle');
const MANIFEST = Buffer.from('the bytes of its manifest');
const SLSA = 'https://slsa.dev/provenance/v1';
const builder = new SpecSigner('ecdsa-p256-sha256', 'builder');
const auditor = new SpecSigner('ed25519', 'auditor');
const stranger = new SpecSigner('ecdsa-p256-sha256', 'stranger');

const about = (artifact: Buffer, changes: Readonly<Record<string, unknown>> = {}) =>
  statementAbout(artifact, { predicateType: SLSA, ...changes });
const envelope = (payload: Buffer, signer = builder) => dsseDocument(signer.envelopeOf(payload));

function verify({ mediaType, content }: PackSignature, keys: readonly TrustedKey[] = [builder.key, auditor.key]) {
  const subjects = [sha256(BUNDLE), sha256(MANIFEST)];
  return verifyAttestation({ mediaType: mediaType as AttestationMediaType, content, subjects, keys });
}

describe('verifyAttestation', () => {
  it.each(SIGNATURE_SCHEMES)('tells what a key of scheme %s attests', scheme => {
    const signer = new SpecSigner(scheme);
    const expected = { outcome: 'verified', predicateType: SLSA, signers: [{ key: signer.key, keyId: keyIdOf(signer.key) }] };
    expect(verify(dsseDocument(signer.envelopeOf(about(BUNDLE))), [signer.key])).toEqual(expected);
    expect(verify(bundleDocument({ dsseEnvelope: signer.envelopeOf(about(BUNDLE)) }, signer.hint), [signer.key])).toEqual(expected);
  });

  it('takes a statement about the manifest, and one of version 0.1', () => {
    expect(verify(envelope(about(MANIFEST)))).toMatchObject({ outcome: 'verified' });
    expect(verify(envelope(about(BUNDLE, { _type: 'https://in-toto.io/Statement/v0.1' })))).toMatchObject({ outcome: 'verified' });
  });

  it('names every trusted key that signed, and nobody else', () => {
    const payload = about(BUNDLE);
    const signatures = [stranger, auditor, builder].flatMap(
      signer => (signer.envelopeOf(payload) as { signatures: readonly object[] }).signatures,
    );
    const result = verify(dsseDocument({ ...builder.envelopeOf(payload), signatures }));
    expect(result).toMatchObject({ outcome: 'verified', signers: [{ key: { name: 'builder' } }, { key: { name: 'auditor' } }] });
  });

  it.each<[string, PackSignature]>([
    ['a stranger', envelope(about(BUNDLE), stranger)],
    ['a key the bundle names and nobody trusts', bundleDocument({ dsseEnvelope: stranger.envelopeOf(about(BUNDLE)) }, stranger.hint)],
  ])('refuses what is signed by %s', (_, document) => {
    expect(verify(document)).toMatchObject({ outcome: 'signature-refused' });
  });

  it('refuses everything while no key is trusted', () => {
    expect(verify(envelope(about(BUNDLE)), [])).toMatchObject({ outcome: 'signature-refused', reason: 'ERR_PACK_SIGNATURE_UNTRUSTED' });
  });

  it('refuses a statement of which a byte was changed after signing', () => {
    const signed = JSON.parse(Buffer.from(envelope(about(BUNDLE)).content).toString()) as { payload: string };
    const payload = Buffer.from(signed.payload, 'base64').toString().replace('v1"', 'v9"');
    const changed = { ...signed, payload: Buffer.from(payload).toString('base64') };
    expect(verify(dsseDocument(changed))).toMatchObject({ outcome: 'signature-refused', reason: 'ERR_PACK_SIGNATURE_INVALID' });
  });

  it('reads nothing of a payload that no trusted key signed', () => {
    const result = verify(envelope(Buffer.from('{"not": "read", '), stranger));
    expect(result).toEqual({
      outcome: 'signature-refused',
      code: 'signature-invalid',
      reason: 'ERR_PACK_SIGNATURE_INVALID',
      message: expect.stringContaining('signature'),
    });
  });

  it.each<[string, Buffer]>([
    ['is about something else', about(Buffer.from('another bundle'))],
    ['names the bundle by another hash alone', about(BUNDLE, { subject: [{ name: 'pack', digest: { sha512: sha256(BUNDLE).slice(7) } }] })],
    ['has no subject', about(BUNDLE, { subject: [] })],
    ['is no in-toto statement', about(BUNDLE, { _type: 'https://example.test/Statement/v1' })],
    ['has no predicate type', about(BUNDLE, { predicateType: '' })],
    ['has a predicate type with a line feed', about(BUNDLE, { predicateType: 'https://a.test/b\nc' })],
    ['has a predicate type of 513 characters', about(BUNDLE, { predicateType: 'x'.repeat(513) })],
    ['is not JSON', Buffer.from('{')],
    ['is not an object', Buffer.from('[]')],
    ['has a member twice', Buffer.from(about(BUNDLE).toString().replace('{', '{"predicateType":"https://other.test",'))],
    ['is nested 65 deep', about(BUNDLE, { predicate: JSON.parse(`${'['.repeat(64)}${']'.repeat(64)}`) })],
  ])('refuses a signed statement that %s, and still names who signed it', (_, payload) => {
    const result = verify(envelope(payload));
    expect(result).toMatchObject({ outcome: 'statement-refused', signers: [{ key: { name: 'builder' } }] });
  });

  it('takes a statement that is nested 64 deep', () => {
    const predicate: unknown = JSON.parse(`${'['.repeat(63)}${']'.repeat(63)}`);
    expect(verify(envelope(about(BUNDLE, { predicate })))).toMatchObject({ outcome: 'verified' });
  });

  it.each<[string, PackSignature]>([
    ['a payload that is not in-toto', dsseDocument(builder.envelopeOf(about(BUNDLE), 'application/json'))],
    ['a signature of the bytes', builder.messageBundle(BUNDLE)],
    ['a document of another shape', dsseDocument({ ...builder.envelopeOf(about(BUNDLE)), more: 1 })],
    ['no JSON', { mediaType: MEDIA_TYPES.dsseEnvelope, content: Buffer.from('DSSEv1') }],
  ])('refuses %s', (_, document) => {
    expect(verify(document)).toMatchObject({ outcome: 'signature-refused', reason: 'ERR_PACK_SIGNATURE_INVALID' });
  });

  it('takes a document of 4 MiB and refuses one byte more', () => {
    const sized = (bytes: number): PackSignature => {
      const document = (padding: number) => envelope(about(BUNDLE, { predicate: { padding: 'x'.repeat(padding) } }));
      const base = document(0).content.length;
      // Base64 makes four characters of three bytes; the rest is white space behind the JSON.
      const { mediaType, content } = document(Math.floor(((bytes - base) * 3) / 4) - 64);
      return { mediaType, content: Buffer.concat([content, Buffer.alloc(bytes - content.length, ' ')]) };
    };
    expect(verify(sized(MAX_ATTESTATION_BYTES))).toMatchObject({ outcome: 'verified' });
    expect(verify(sized(MAX_ATTESTATION_BYTES + 1))).toMatchObject({ outcome: 'signature-refused' });
  });

  it('wants a signature over what DSSE says is signed, not over the payload alone', () => {
    const payload = about(BUNDLE);
    const sig = builder.sign(payload).toString('base64');
    const unwrapped = { payload: payload.toString('base64'), payloadType: 'application/vnd.in-toto+json', signatures: [{ sig }] };
    expect(verify(dsseDocument(unwrapped))).toMatchObject({ outcome: 'signature-refused' });
    const message = dsse.preAuthEncoding('application/vnd.in-toto+json', payload);
    const wrapped = { ...unwrapped, signatures: [{ sig: builder.sign(message).toString('base64') }] };
    expect(verify(dsseDocument(wrapped))).toMatchObject({ outcome: 'verified' });
  });
});
