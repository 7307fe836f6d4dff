import { sha256 } from '@packs/domain';
import { caseNames, ConformanceCase, hasCases, SKIPPED } from './conformance-cases.fixture';
import type { VerificationReason } from './reasons';
import { reasonOf, reportHash } from './verification-report';

/** Why each case is to be refused. */
const REASONS: Readonly<Record<string, VerificationReason>> = {
  'bundle-empty-certificate-chain_fail': 'certificate-malformed',
  'bundle-malformed-json_fail': 'document-malformed',
  'bundle-unknown-version_fail': 'document-unsupported',
  'checkpoint-bad-keyhint_fail': 'checkpoint-invalid',
  'checkpoint-wrong-roothash_fail': 'checkpoint-invalid',
  'dsse-invalid-sig_fail': 'signature-invalid',
  'dsse-mismatch-envelope_fail': 'log-entry-mismatch',
  'incorrect-public-key_fail': 'log-entry-mismatch',
  'integrated-time-in-future_fail': 'certificate-expired',
  'intoto-tsa-timestamp-outside-cert-validity_fail': 'certificate-expired',
  'invalid-inclusion-proof_fail': 'checkpoint-invalid',
  'rekor2-checkpoint-missing-log-signature_fail': 'checkpoint-invalid',
  'rekor2-dsse-mismatch-sig_fail': 'log-entry-mismatch',
  'rekor2-no-inclusion-proof_fail': 'log-proof-missing',
  'rekor2-no-timestamp_fail': 'timestamp-missing',
  'rekor2-timestamp-outside-trust-root-tsa-validity_fail': 'timestamp-untrusted',
  'rekor2-timestamp-outside-tsa-cert-validity_fail': 'timestamp-invalid',
  'rekor2-timestamp-payload-mismatch_fail': 'timestamp-mismatch',
  'rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail': 'timestamp-untrusted',
  'wrong-hashedrekord-cert-and-sig_fail': 'log-entry-mismatch',
  'wrong-hashedrekord-entry_fail': 'log-entry-mismatch',
};

/** Cases whose key or root must not be trusted in the first place. */
const TRUST_REFUSED: readonly string[] = ['managed-key-wrong-key_fail', 'trust-root-tlog-missing-validity-start_fail'];
const SLOPPY = 'rekor2-timestamp-with-incorrect-time_fail';

(hasCases ? describe : describe.skip)(`every sigstore conformance case${SKIPPED}`, () => {
  const names = caseNames();
  const accepted = names.filter(name => !name.endsWith('_fail'));
  const refused = names.filter(name => name.endsWith('_fail') && !TRUST_REFUSED.includes(name) && name !== SLOPPY);

  it.each(accepted)('%s is accepted, by bytes and by digest, with one result', name => {
    const one = new ConformanceCase(name);
    const [byBytes, byDigest] = [one.byBytes, one.byDigest].map(subject => one.verify({ subjects: [subject] }));
    expect(byBytes).toMatchObject(
      one.identity
        ? {
            outcome: 'accepted',
            identity: { kind: 'certificate', ...one.identity },
            entries: [{ entry: expect.stringMatching(/^sha256:/) }],
            times: [{ at: expect.stringMatching(/^20/) }],
          }
        : { outcome: 'accepted', identity: { kind: 'key', name: 'managed' }, entries: [], times: [] },
    );
    expect(byDigest).toEqual(byBytes);
  });

  it.each(refused)('%s is refused for its own reason, by bytes and by digest', name => {
    const one = new ConformanceCase(name);
    for (const subject of [one.byBytes, one.byDigest]) expect(reasonOf(one.verify({ subjects: [subject] }))).toBe(REASONS[name]);
  });

  it.each(TRUST_REFUSED)('%s is refused with its key or root', name => {
    expect(() => new ConformanceCase(name).trust()).toThrow(expect.objectContaining({ code: 'ERR_PACK_TRUST_INVALID' }));
  });

  it(`${SLOPPY} is refused for base64 in lines, and without those for its time`, () => {
    const one = new ConformanceCase(SLOPPY);
    expect(reasonOf(one.verify())).toBe('document-malformed');
    const tidy = JSON.parse(one.bundle.toString());
    for (const timestamp of tidy.verificationMaterial.timestampVerificationData.rfc3161Timestamps) {
      timestamp.signedTimestamp = timestamp.signedTimestamp.replaceAll('\n', '');
    }
    for (const subjects of [[one.byBytes], [one.byDigest]]) {
      expect(reasonOf(one.verify({ content: Buffer.from(JSON.stringify(tidy)), subjects }))).toBe('certificate-expired');
    }
  });
});

(hasCases ? describe : describe.skip)(`every accepted sigstore conformance case${SKIPPED}`, () => {
  const accepted = caseNames().filter(name => !name.endsWith('_fail'));

  it.each(accepted)('%s is refused for other artifacts', name => {
    const bytes = Buffer.from('other bytes');
    for (const subject of [{ digest: sha256(bytes), bytes }, { digest: sha256(bytes) }]) {
      expect(reasonOf(new ConformanceCase(name).verify({ subjects: [subject] }))).toBe('subject-mismatch');
    }
  });

  it.each(accepted.filter(name => !name.startsWith('managed-key')))('%s is refused for whoever is not exactly its signer', name => {
    const one = new ConformanceCase(name);
    const { issuer, identity } = one.identity ?? { issuer: '', identity: '' };
    const reason = (required: { issuer?: string; identity?: string; extensions?: Record<string, string> }) =>
      reasonOf(one.verify({ signer: { issuer, identity, ...required } }));
    expect(reason({})).toBeUndefined();
    for (const other of [`${identity}x`, identity.slice(0, -1), '.*', identity.toUpperCase(), '']) {
      expect(reason({ identity: other })).toBe('identity-mismatch');
    }
    for (const other of [`${issuer}/`, issuer.slice(1), '.*']) expect(reason({ issuer: other })).toBe('issuer-mismatch');
    expect(reason({ extensions: { buildSignerURI: 'https://example.test' } })).toBe('extension-mismatch');
    expect(reason({ extensions: { toString: 'x' } })).toBe('extension-mismatch');
  });

  it('holds the extensions of a certificate to what is asked for', () => {
    const one = new ConformanceCase('happy-path-v0.3-new-mediaType');
    const required = one.identity ?? { issuer: '', identity: '' };
    const report = one.verify({ signer: { ...required, extensions: { buildTrigger: 'workflow_dispatch' } } });
    expect(report).toMatchObject({ outcome: 'accepted', identity: { extensions: { buildTrigger: 'workflow_dispatch' } } });
    expect(reasonOf(one.verify({ signer: { ...required, extensions: { buildTrigger: 'push' } } }))).toBe('extension-mismatch');
  });

  it('is refused without a root, and by the roots of others, and finds its own among several', () => {
    const one = new ConformanceCase('happy-path-v0.3-new-mediaType');
    const other = new ConformanceCase('rekor2-checkpoint-cosigned').trust();
    const own = one.trust();
    expect(reasonOf(one.verify({ trust: { ...own, roots: [] } }))).toBe('trust-missing');
    expect(reasonOf(one.verify({ trust: other }))).toBe('log-untrusted');
    const both = one.verify({ trust: { ...own, roots: [...other.roots, ...own.roots] } });
    expect(reportHash(both)).toBe(reportHash(one.verify()));
  });
});
