import { sha256 } from '@packs/domain';
import { aKeylessAuthority, type KeylessAuthority } from '@packs/testing';
import type { VerificationReason } from './reasons';
import { readAnyDocument } from './read-document';
import { statementAbout } from './signer.fixture';
import { parseTrustedRoot } from './trusted-root';
import { reasonOf, type VerificationReport } from './verification-report';
import { verifyDocument } from './verify-document';

const WHO = { issuer: 'https://issuer.test', identity: 'https://git.test/acme/release' };
const ARTIFACT = Buffer.from('the bytes of a pack bundle');
const SUBJECT = { digest: sha256(ARTIFACT), bytes: ARTIFACT };
const HOUR = 3_600_000;

type KeylessFaults = NonNullable<Parameters<typeof aKeylessAuthority>[0]>;

interface Document {
  mediaType: string;
  messageSignature: object;
  verificationMaterial: {
    certificate?: { rawBytes: string };
    x509CertificateChain?: object;
    timestampVerificationData?: { rfc3161Timestamps: object[] };
    tlogEntries: {
      logId: { keyId: string };
      canonicalizedBody: string;
      integratedTime?: string;
      logIndex?: string;
      inclusionPromise?: { signedEntryTimestamp: string };
      inclusionProof?: { rootHash: string; treeSize: string; checkpoint: { envelope: string } };
    }[];
  };
}

type Change = (own: Document, other: Document) => void;

const entryOf = ({ verificationMaterial: { tlogEntries } }: Document): Document['verificationMaterial']['tlogEntries'][number] => {
  const [entry] = tlogEntries;
  if (!entry) throw new Error('no entry');
  return entry;
};

describe('a keyless bundle of an own certificate authority, log and clock', () => {
  let authority: KeylessAuthority;
  let stranger: KeylessAuthority;

  beforeAll(async () => {
    [authority, stranger] = await Promise.all([aKeylessAuthority(), aKeylessAuthority()]);
  });

  function verify(content: Buffer, by = authority, signer: object | undefined = WHO): VerificationReport {
    return verifyDocument({
      document: () => readAnyDocument(content),
      subjects: [SUBJECT],
      trust: { roots: [parseTrustedRoot(Buffer.from(JSON.stringify(by.trustedRoot)))], keys: [], keyEvidence: 'verified' },
      signer: signer as typeof WHO,
    });
  }

  async function changed(change: Change, timestamped = false): Promise<Buffer> {
    const [own, other] = await Promise.all([1, 2].map(() => authority.bundle(ARTIFACT, WHO, { timestamped })));
    const document = JSON.parse(String(own)) as Document;
    change(document, JSON.parse(String(other)) as Document);
    return Buffer.from(JSON.stringify(document));
  }

  it('is accepted by a promise of the log, by a timestamp, and as a statement', async () => {
    for (const timestamped of [false, true]) {
      expect(verify(await authority.bundle(ARTIFACT, WHO, { timestamped }))).toMatchObject({
        outcome: 'accepted',
        identity: { kind: 'certificate', ...WHO },
        times: [{ source: timestamped ? 'timestamp-authority' : 'log' }],
      });
    }
    const statement = await authority.envelope(statementAbout(ARTIFACT), WHO);
    expect(verify(statement)).toMatchObject({ outcome: 'accepted', predicateType: 'https://example.test/made' });
  });

  it.each<[string, VerificationReason, Change]>([
    [
      'the certificate of another signature',
      'signature-invalid',
      (own, other) => (own.verificationMaterial.certificate = other.verificationMaterial.certificate),
    ],
    [
      'the log entry of another signature',
      'log-entry-mismatch',
      (own, other) => (own.verificationMaterial.tlogEntries = other.verificationMaterial.tlogEntries),
    ],
    [
      'the inclusion proof of another entry',
      'log-proof-invalid',
      (own, other) => (entryOf(own).inclusionProof = entryOf(other).inclusionProof),
    ],
    [
      'the promise of another entry',
      'log-promise-invalid',
      (own, other) => (entryOf(own).inclusionPromise = entryOf(other).inclusionPromise),
    ],
    [
      'another time than the log promised',
      'log-promise-invalid',
      own => (entryOf(own).integratedTime = String(Number(entryOf(own).integratedTime) + 1)),
    ],
    ['no log entry', 'timestamp-missing', own => (own.verificationMaterial.tlogEntries = [])],
    ['no proof of its entry', 'log-proof-missing', own => delete entryOf(own).inclusionProof],
    ['the log of another', 'log-untrusted', own => (entryOf(own).logId.keyId = Buffer.alloc(32, 7).toString('base64'))],
    [
      'the checkpoint of another tree',
      'checkpoint-invalid',
      (own, other) => Object.assign(entryOf(own).inclusionProof ?? {}, { checkpoint: entryOf(other).inclusionProof?.checkpoint }),
    ],
    ['another size than its checkpoint', 'checkpoint-invalid', own => Object.assign(entryOf(own).inclusionProof ?? {}, { treeSize: '2' })],
    [
      'a certificate of an authority beside its own',
      'certificate-is-ca',
      own => {
        const { certificate } = own.verificationMaterial;
        delete own.verificationMaterial.certificate;
        own.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.2';
        own.verificationMaterial.x509CertificateChain = { certificates: [certificate, certificate] };
      },
    ],
  ])('with %s is refused as %s', async (_, reason, change) => {
    expect(reasonOf(verify(await changed(change)))).toBe(reason);
  });

  it.each<[string, VerificationReason, Change]>([
    ['no timestamp', 'timestamp-missing', own => delete own.verificationMaterial.timestampVerificationData],
    [
      'the timestamp of another signature',
      'timestamp-mismatch',
      (own, other) => (own.verificationMaterial.timestampVerificationData = other.verificationMaterial.timestampVerificationData),
    ],
    [
      'a timestamp twice',
      'timestamp-invalid',
      own =>
        own.verificationMaterial.timestampVerificationData?.rfc3161Timestamps.push(
          ...own.verificationMaterial.timestampVerificationData.rfc3161Timestamps,
        ),
    ],
  ])('that is timestamped with %s is refused as %s', async (_, reason, change) => {
    expect(reasonOf(verify(await changed(change, true)))).toBe(reason);
  });

  it.each<[string, KeylessFaults, VerificationReason]>([
    ['whose certificate is in the log of somebody else', { certificateLog: 'other' }, 'sct-invalid'],
    ['whose certificate is in no certificate log', { certificateLog: 'none' }, 'sct-missing'],
    ['that was logged after its certificate had ended', { clocks: { log: new Date(Date.now() + HOUR) } }, 'certificate-expired'],
    ['that was logged before its certificate began', { clocks: { log: new Date(Date.now() - HOUR) } }, 'certificate-expired'],
    ['by an authority that is trusted no more', { trustedUntil: new Date(Date.now() - HOUR) }, 'certificate-untrusted'],
  ])('%s is refused', async (_, faults, reason) => {
    const faulty = await aKeylessAuthority(faults);
    expect(reasonOf(verify(await faulty.bundle(ARTIFACT, WHO), faulty))).toBe(reason);
  });

  it.each<[string, number, VerificationReason]>([
    ['after its certificate had ended', HOUR, 'certificate-expired'],
    ["before the clock's own certificate began", -HOUR, 'timestamp-invalid'],
  ])('that was timestamped %s is refused', async (_, offset, reason) => {
    const faulty = await aKeylessAuthority({ clocks: { timestamp: new Date(Date.now() + offset) } });
    expect(reasonOf(verify(await faulty.bundle(ARTIFACT, WHO, { timestamped: true }), faulty))).toBe(reason);
  });

  it('of another authority is refused, whatever it borrows from the trusted one', async () => {
    const foreign = await stranger.bundle(ARTIFACT, WHO);
    expect(reasonOf(verify(foreign))).toBe('log-untrusted');
    const document = JSON.parse(String(foreign)) as Document;
    entryOf(document).logId = entryOf(JSON.parse(String(await authority.bundle(ARTIFACT, WHO))) as Document).logId;
    expect(reasonOf(verify(Buffer.from(JSON.stringify(document))))).not.toBeUndefined();
  });

  it('is refused for other bytes, for another identity and where a key was asked for', async () => {
    expect(reasonOf(verify(await authority.bundle(Buffer.from('other'), WHO)))).toBe('subject-mismatch');
    const bundle = await authority.bundle(ARTIFACT, WHO);
    expect(reasonOf(verify(bundle, authority, { ...WHO, identity: 'https://git.test/acme/.*' }))).toBe('identity-mismatch');
    expect(reasonOf(verify(bundle, authority, 'key' as unknown as object))).toBe('key-untrusted');
  });

  it.each([
    ['a statement about something else', statementAbout(Buffer.from('other')), undefined, 'subject-mismatch'],
    ['what is no statement', Buffer.from('{}'), undefined, 'statement-invalid'],
    ['nothing', Buffer.alloc(0), undefined, 'statement-invalid'],
    ['a payload of another type', statementAbout(ARTIFACT), 'application/json', 'statement-invalid'],
  ])('that holds %s is refused for that, and says who signed it', async (_, payload, type, reason) => {
    const report = verify(await authority.envelope(payload, WHO, { payloadType: type }));
    expect(reasonOf(report)).toBe(reason);
    expect(report).toMatchObject({ identity: null, signedBy: { kind: 'certificate', ...WHO } });
  });
});
