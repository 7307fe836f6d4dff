import { generateKeyPairSync, sign } from 'node:crypto';
import { canonicalJson, sha256 } from '@packs/domain';
import { aKeylessAuthority, type KeylessAuthority } from '@packs/testing';
import { pemOf } from './signer.fixture';
import { readAnyDocument } from './read-document';
import { encodeSimpleSignature } from './simple-signature';
import { trustedKeyFromPem } from './trust-material';
import { parseTrustedRoot } from './trusted-root';
import { reasonOf, type VerificationReport } from './verification-report';
import { verifyDocument, type DocumentTrust } from './verify-document';

const WHO = { issuer: 'https://issuer.test', identity: 'https://git.test/acme/release' };
const ARTIFACT = Buffer.from('the bytes of a pack bundle');
const MANIFEST = sha256('a manifest');
const PAYLOAD = Buffer.from(
  JSON.stringify({ critical: { type: 'cosign container image signature', image: { 'docker-manifest-digest': MANIFEST } }, optional: null }),
);

/** What a bundle holds, as cosign 1 and 2 wrote it. */
interface Parts {
  readonly pem: string;
  readonly signature: string;
  readonly rekor: object;
}

function partsOf(bundle: Buffer): Parts {
  const { verificationMaterial, messageSignature } = JSON.parse(bundle.toString());
  const [entry] = verificationMaterial.tlogEntries;
  const body = (verificationMaterial.certificate?.rawBytes ?? '').replace(/.{64}(?!$)/g, '$&\n');
  return {
    pem: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
    signature: messageSignature.signature,
    rekor: {
      SignedEntryTimestamp: entry.inclusionPromise.signedEntryTimestamp,
      Payload: {
        body: entry.canonicalizedBody,
        integratedTime: Number(entry.integratedTime),
        logIndex: Number(entry.logIndex),
        logID: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
      },
    },
  };
}

describe('what cosign wrote before it wrote sigstore bundles', () => {
  let authority: KeylessAuthority;
  let trust: DocumentTrust;

  beforeAll(async () => {
    authority = await aKeylessAuthority();
    trust = { roots: [parseTrustedRoot(Buffer.from(JSON.stringify(authority.trustedRoot)))], keys: [], keyEvidence: 'ignored' };
  });

  function verify(document: object, digest = sha256(ARTIFACT), changes: Partial<DocumentTrust> = {}): VerificationReport {
    const content = Buffer.from(JSON.stringify(document));
    return verifyDocument({ document: () => readAnyDocument(content), subjects: [{ digest }], trust: { ...trust, ...changes } });
  }

  describe('as --bundle', () => {
    let document: {
      base64Signature: string;
      cert: string;
      rekorBundle: { SignedEntryTimestamp: string; Payload: { integratedTime: number } };
    };

    beforeAll(async () => {
      const { pem, signature, rekor } = partsOf(await authority.bundle(ARTIFACT, WHO));
      document = {
        base64Signature: signature,
        cert: Buffer.from(pem).toString('base64'),
        rekorBundle: rekor as typeof document.rekorBundle,
      };
    });

    it('is accepted for who signed', () => {
      expect(verify(document)).toMatchObject({ outcome: 'accepted', identity: { kind: 'certificate', ...WHO } });
    });

    it.each<[string, (from: typeof document) => object, string]>([
      ['of another artifact', from => from, 'subject-mismatch'],
      ['with another member', from => ({ ...from, extra: 1 }), 'document-malformed'],
      ['with sloppy base64', from => ({ ...from, base64Signature: `${from.base64Signature} ` }), 'document-malformed'],
      ['without its log entry', ({ rekorBundle: _, ...from }) => from, 'document-malformed'],
      ['with another signature', from => ({ ...from, base64Signature: 'AAAA' }), 'signature-invalid'],
      ['with a certificate that is none', from => ({ ...from, cert: 'AAAA' }), 'certificate-malformed'],
      [
        'with another time',
        from => withPayload(from, { integratedTime: from.rekorBundle.Payload.integratedTime + 1 }),
        'log-promise-invalid',
      ],
      ['with another index', from => withPayload(from, { logIndex: 1 }), 'log-promise-invalid'],
      ['with a fraction for an index', from => withPayload(from, { logIndex: 1.5 }), 'document-malformed'],
      ['of another log', from => withPayload(from, { logID: 'ab'.repeat(32) }), 'log-untrusted'],
    ])('%s is refused', (name, change, reason) => {
      expect(reasonOf(verify(change(document), name === 'of another artifact' ? sha256('other') : undefined))).toBe(reason);
    });

    it('is accepted when a key made it', () => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const base64Signature = sign('sha256', ARTIFACT, privateKey).toString('base64');
      const keys = [trustedKeyFromPem('release', pemOf(publicKey))];
      expect(verify({ base64Signature }, undefined, { keys })).toMatchObject({
        outcome: 'accepted',
        identity: { kind: 'key', name: 'release' },
      });
      expect(reasonOf(verify({ base64Signature }, sha256('other'), { keys }))).toBe('signature-invalid');
    });
  });

  describe('beside the layers of a .sig image', () => {
    async function layer(change: (parts: Parts) => Partial<Parts> = () => ({})): Promise<object> {
      const made = partsOf(await authority.bundle(PAYLOAD, WHO));
      const { pem, signature, rekor } = { ...made, ...change(made) };
      const annotations = { 'dev.sigstore.cosign/certificate': pem, 'dev.sigstore.cosign/bundle': canonicalJson(rekor), other: 'x' };
      return JSON.parse(encodeSimpleSignature(PAYLOAD, Buffer.from(signature, 'base64'), annotations).toString());
    }

    it('is accepted for the manifest it is about', async () => {
      expect(verify(await layer(), MANIFEST)).toMatchObject({ outcome: 'accepted', identity: { kind: 'certificate', ...WHO } });
      expect(reasonOf(verify(await layer(), sha256('other')))).toBe('subject-mismatch');
    });

    it('is refused with the certificate or the log entry of another signature', async () => {
      const other = partsOf(await authority.bundle(PAYLOAD, WHO));
      expect(reasonOf(verify(await layer(() => ({ pem: other.pem })), MANIFEST))).toBe('signature-invalid');
      expect(reasonOf(verify(await layer(() => ({ rekor: other.rekor })), MANIFEST))).toBe('log-entry-mismatch');
    });

    it('says when a key signed, so that it counts on after the key has expired', async () => {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const { signature, rekor } = partsOf(await authority.loggedBundle(PAYLOAD, pair));
      const bundle = { 'dev.sigstore.cosign/bundle': canonicalJson(rekor) };
      const sealed = Buffer.from(signature, 'base64');
      const [dated, undated] = [bundle, {}].map(annotations => JSON.parse(encodeSimpleSignature(PAYLOAD, sealed, annotations).toString()));
      const now = Date.now();
      const day = 86_400_000;
      const keys = [{ ...trustedKeyFromPem('release', pemOf(pair.publicKey)), notAfter: new Date(now + day).toISOString() }];
      const changes = { keys, keyEvidence: 'reported', standing: { evaluatedAt: new Date(now + 2 * day) } } as const;
      expect(verify(dated, MANIFEST, changes)).toMatchObject({
        outcome: 'accepted',
        identity: { kind: 'key', name: 'release' },
        times: [{ source: 'log' }],
      });
      expect(reasonOf(verify(undated, MANIFEST, changes))).toBe('key-expired');
    });

    it.each(['', '{}', '{', 'null'])('keeps no log entry that is %j beside what a key made', text => {
      const bundle = { 'dev.sigstore.cosign/bundle': text };
      expect(encodeSimpleSignature(PAYLOAD, Buffer.of(1), bundle)).toEqual(encodeSimpleSignature(PAYLOAD, Buffer.of(1)));
    });
  });
});

function withPayload<T extends { readonly rekorBundle: { readonly Payload: object } }>(from: T, changes: object): object {
  return { ...from, rekorBundle: { ...from.rekorBundle, Payload: { ...from.rekorBundle.Payload, ...changes } } };
}
