import { generateKeyPairSync } from 'node:crypto';
import { canonicalJson, MEDIA_TYPES, sha256, type Digest, type TrustMaterial } from '@packs/domain';
import { aKeylessAuthority, type KeylessAuthority } from '@packs/testing';
import { pemOf, SpecSigner, statementAbout } from './signer.fixture';
import { encodeSimpleSignature } from './simple-signature';
import { trustedKeyFromPem } from './trust-material';
import { runTask, type AttestationTask, type SignatureTask } from './verification-task';
import { verifyDocument } from './verify-document';

const WHO = { issuer: 'https://issuer.test', identity: 'https://git.test/acme/release' };
const BUNDLE = Buffer.from('the bytes of a bundle');
const MANIFEST = Buffer.from('{"the":"manifest"}');
const EVALUATED_AT = '2026-02-01T00:00:00.000Z';

const release = new SpecSigner('ecdsa-p256-sha256', 'release');

function attestation(content: Uint8Array, mediaType: AttestationTask['mediaType'] = MEDIA_TYPES.sigstoreBundle): AttestationTask {
  const subjects = [sha256(BUNDLE), sha256(MANIFEST)];
  return { kind: 'attestation', trust: sha256('trust'), evaluatedAt: EVALUATED_AT, mediaType, content, subjects };
}

function signature(mediaType: SignatureTask['mediaType'], content: Uint8Array): SignatureTask {
  const bundle = { digest: sha256(BUNDLE), bytes: BUNDLE, kind: 'bundle' } as const;
  const subjects = [bundle, { digest: sha256(MANIFEST), bytes: MANIFEST }];
  return { kind: 'signature', trust: sha256('trust'), evaluatedAt: EVALUATED_AT, mediaType, content, subjects };
}

describe('an attestation that somebody signed with a certificate', () => {
  let authority: KeylessAuthority;
  let material: TrustMaterial;

  beforeAll(async () => {
    authority = await aKeylessAuthority();
    material = { keys: [], trustedRoots: [canonicalJson(authority.trustedRoot)] };
  });

  it('is verified', async () => {
    const answer = runTask(attestation(await authority.envelope(statementAbout(BUNDLE), WHO)), material);
    expect(answer).toMatchObject({ outcome: 'verified', signers: [WHO], predicateType: 'https://example.test/made' });
  });

  it.each([
    ['is about something else', statementAbout(Buffer.from('else')), 'subject-mismatch'],
    ['has no predicate type', statementAbout(BUNDLE, { predicateType: '' }), 'statement-invalid'],
    ['has a predicate type with a line feed', statementAbout(BUNDLE, { predicateType: 'https://a.test/b\nc' }), 'statement-invalid'],
    ['is no statement', Buffer.from('{}'), 'statement-invalid'],
    ['names it by SHA-512 alone', statementAbout(BUNDLE, { subject: [{ digest: { sha512: 'ab'.repeat(64) } }] }), 'subject-bytes-needed'],
  ])('and %s is refused for its statement, as one signed with a key is, and says who signed', async (_, payload, reason) => {
    const byCertificate = runTask(attestation(await authority.envelope(payload, WHO)), material);
    expect(byCertificate).toMatchObject({
      outcome: 'statement-refused',
      signers: [{ kind: 'certificate', ...WHO }],
      refusal: { error: 'ERR_PACK_ATTESTATION_INVALID', reason },
    });
    const envelope = Buffer.from(JSON.stringify(release.envelopeOf(payload)));
    expect(runTask(attestation(envelope, MEDIA_TYPES.dsseEnvelope), { keys: [release.key] }).outcome).toBe('statement-refused');
  });

  it.each([
    ['a payload of another type', () => authority.envelope(statementAbout(BUNDLE), WHO, { payloadType: 'text/plain' })],
    ['a signature of bytes', () => authority.bundle(BUNDLE, WHO)],
  ])('and holds %s is none', async (_, made) => {
    expect(runTask(attestation(await made()), material)).toMatchObject({ outcome: 'signature-refused', signers: [] });
  });

  it('is refused for its signature when nobody who is trusted vouches for it', async () => {
    const stranger = await aKeylessAuthority();
    const answer = runTask(attestation(await stranger.envelope(statementAbout(Buffer.from('else')), WHO)), material);
    expect(answer).toMatchObject({ outcome: 'signature-refused', signers: [], refusal: { reason: 'log-untrusted' } });
  });

  it('of which a part makes the libraries throw is refused for good', async () => {
    const answer = runTask(attestation(await authority.envelope(statementAbout(BUNDLE), WHO, { hollow: true })), material);
    expect(answer).toMatchObject({ outcome: 'signature-refused', signers: [], refusal: { reason: 'document-unreadable' } });
  });
});

describe('a document that the libraries break off at', () => {
  it('is refused with a reason of its own, and for good', () => {
    const report = verifyDocument({
      document: () => {
        throw new TypeError("Cannot read properties of undefined (reading 'content')");
      },
      subjects: [{ digest: sha256(BUNDLE) }],
      trust: { roots: [], keys: [release.key], keyEvidence: 'ignored' },
    });
    expect(report).toMatchObject({ outcome: 'rejected', message: 'parts of the document cannot be evaluated' });
    expect(report.checks[0]).toEqual({ id: 'document', outcome: 'fail', reason: 'document-unreadable' });
  });

  it('for want of memory is not refused for good', () => {
    const report = verifyDocument({
      document: () => {
        throw new RangeError('Array buffer allocation failed');
      },
      subjects: [],
      trust: { roots: [], keys: [], keyEvidence: 'ignored' },
    });
    expect(report.checks[0]).toEqual({ id: 'document', outcome: 'fail', reason: 'verification-failed' });
  });
});

describe('an image signature', () => {
  const about = (digest: Digest): Uint8Array => {
    const image = { 'docker-manifest-digest': digest };
    const payload = Buffer.from(JSON.stringify({ critical: { type: 'cosign container image signature', image }, optional: null }));
    return encodeSimpleSignature(payload, release.sign(payload));
  };

  it('is one of the manifest, and never of the bundle', () => {
    const judge = (digest: Digest) => runTask(signature(MEDIA_TYPES.simpleSignature, about(digest)), { keys: [release.key] });
    expect(judge(sha256(MANIFEST)).outcome).toBe('verified');
    expect(judge(sha256(BUNDLE)).refusal).toMatchObject({ reason: 'subject-mismatch' });
  });
});

describe('the proof of a log that nothing dates', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = [trustedKeyFromPem('release', pemOf(pair.publicKey))];
  const hour = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

  interface Trusting {
    readonly tlogs: { readonly publicKey: { readonly validFor: { end?: string } } }[];
  }

  it.each<[string, string | undefined, boolean, boolean]>([
    ['is trusted', undefined, true, true],
    ['was retired before', hour(-1), false, false],
    ['will be retired', hour(1), false, true],
  ])('of what a key made counts while there is no end to the trust in it: it %s', async (_, end, isProven, isProvenWithTime) => {
    const authority = await aKeylessAuthority();
    const root = structuredClone(authority.trustedRoot) as Trusting;
    for (const { publicKey } of root.tlogs) if (end !== undefined) publicKey.validFor.end = end;
    const bundle = JSON.parse((await authority.loggedBundle(BUNDLE, pair)).toString());
    const material: TrustMaterial = { keys, trustedRoots: [canonicalJson(root)] };
    const judge = () =>
      runTask({ ...signature(MEDIA_TYPES.sigstoreBundle, Buffer.from(JSON.stringify(bundle))), wantsEvidence: true }, material);
    expect(judge()).toMatchObject({ outcome: 'verified', isProven: isProvenWithTime });
    const [entry] = bundle.verificationMaterial.tlogEntries;
    delete entry.inclusionPromise;
    delete entry.integratedTime;
    entry.logIndex = entry.inclusionProof.logIndex;
    expect(judge()).toMatchObject({ outcome: 'verified', isProven });
  });
});
