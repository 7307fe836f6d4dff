import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { MEDIA_TYPES, sha256 } from '@packs/domain';
import { encodeTrustMaterial, trustedKeyFromPem, type VerificationAnswer, type VerificationTask } from '@packs/sigstore';
import { InMemoryBlobStore } from '@packs/testing';
import { AttestationEvaluator } from './attestation-evaluator';
import { BundleSource } from './bundle-source';
import { CheckList } from './check-list';
import { SignatureEvaluator } from './signature-evaluator';
import { SignatureVerifier } from './signature-verifier';
import { TrustMaterials } from './trust-materials';
import { aPolicy, aVerifier } from './verifier.fixture';

const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const release = trustedKeyFromPem('release', p384.publicKey.export({ type: 'spki', format: 'pem' }).toString());
const IN_TOTO = 'application/vnd.in-toto+json';
const HELD = Buffer.alloc(1024, 'pack');
const STREAMED = Buffer.alloc(4 * 1024 * 1024 + 1, 'pack');
const LARGE = Buffer.alloc(64 * 1024 * 1024 + 1, 'pack');

function statementOf(digest: object): Buffer {
  const statement = { _type: 'https://in-toto.io/Statement/v1', subject: [{ name: 'pack', digest }], predicateType: 'https://a.test/b' };
  const payload = Buffer.from(JSON.stringify(statement));
  const message = Buffer.concat([Buffer.from(`DSSEv1 ${IN_TOTO.length} ${IN_TOTO} ${payload.length} `), payload]);
  const sig = sign('sha384', message, p384.privateKey).toString('base64');
  return Buffer.from(JSON.stringify({ payload: payload.toString('base64'), payloadType: IN_TOTO, signatures: [{ sig }] }));
}

function messageOf(bundle: Buffer, algorithm: string, digest: Buffer): Buffer {
  const signature = sign('sha384', bundle, p384.privateKey).toString('base64');
  const messageSignature = { messageDigest: { algorithm, digest: digest.toString('base64') }, signature };
  return Buffer.from(JSON.stringify({ mediaType: MEDIA_TYPES.sigstoreBundle, verificationMaterial: { publicKey: {} }, messageSignature }));
}

async function outcomeOf(
  bundle: Buffer,
  mediaType: 'envelope' | 'bundle',
  document: Buffer,
  verifier = aVerifier().verifier as SignatureVerifier,
  beside: readonly Buffer[] = [],
) {
  const blobs = new InMemoryBlobStore(1024 * 1024);
  const ref = blobs.put(bundle);
  const source = new BundleSource(blobs, ref, new AbortController().signal);
  await source.isProven();
  const material = blobs.put(encodeTrustMaterial({ keys: [release] }));
  const list = new CheckList();
  const { accepted } = await new SignatureEvaluator(
    blobs,
    new TrustMaterials(blobs),
    verifier,
    aVerifier().timer,
    new AttestationEvaluator(blobs, verifier),
  ).evaluate(
    {
      bundle: ref,
      source,
      signatures: [document, ...beside].map(content => ({
        ...blobs.put(content),
        mediaType: mediaType === 'bundle' ? MEDIA_TYPES.sigstoreBundle : MEDIA_TYPES.dsseEnvelope,
      })),
      policies: [aPolicy()],
      channel: 'edge',
      packType: 'task',
      trust: { digest: material.digest, epoch: 1, material },
      evaluatedAt: '2026-02-01T00:00:00.000Z',
    },
    list,
  );
  return `${accepted ? 'accepted' : 'refused'} ${list.checks[0]?.reason}`;
}

describe.each([
  ['held', HELD],
  ['read anew', STREAMED],
  ['too large to be held', LARGE],
])('a signature of a bundle that is %s', (_, bundle) => {
  const digest = { sha256: sha256(bundle).slice(7), sha512: createHash('sha512').update(bundle).digest('hex') };

  it('as a statement is judged by every digest that it names', async () => {
    expect(await outcomeOf(bundle, 'envelope', statementOf(digest))).toBe('accepted ok');
    expect(await outcomeOf(bundle, 'envelope', statementOf({ sha512: digest.sha512 }))).toBe('accepted ok');
    const wrong = statementOf({ ...digest, sha512: digest.sha512.replace(/^./, first => (first === '0' ? '1' : '0')) });
    expect(await outcomeOf(bundle, 'envelope', wrong)).toBe('refused ERR_PACK_SIGNATURE_INVALID');
  });

  it.each(['SHA2_256', 'SHA2_384', 'SHA2_512'])(
    'by a P-384 key is one of these bytes alone, whatever names them by %s',
    async algorithm => {
      const hashOf = (bytes: Buffer) => createHash(algorithm.replace('SHA2_', 'sha')).update(bytes).digest();
      expect(await outcomeOf(bundle, 'bundle', messageOf(bundle, algorithm, hashOf(bundle)))).toBe('accepted ok');
      const others = [
        messageOf(Buffer.from('other'), algorithm, hashOf(bundle)),
        messageOf(bundle, algorithm, hashOf(Buffer.from('other'))),
      ];
      for (const other of others) expect(await outcomeOf(bundle, 'bundle', other)).toBe('refused ERR_PACK_SIGNATURE_INVALID');
    },
  );
});

describe('a signature that could not be judged', () => {
  class Scripted extends SignatureVerifier {
    constructor(
      private readonly reason: NonNullable<VerificationAnswer['refusal']>['reason'],
      private readonly good?: Buffer,
    ) {
      super();
    }

    async verify(task: VerificationTask, material: Uint8Array): Promise<VerificationAnswer> {
      if (this.good?.equals(task.content)) return aVerifier().verifier.verify(task, material);
      const refusal = { error: 'ERR_PACK_SIGNATURE_INVALID', reason: this.reason, message: 'scripted' } as const;
      return { outcome: 'signature-refused', signers: [], refusal };
    }
  }

  it.each(['verification-timeout', 'verification-failed'] as const)('is asked about again after %s', async reason => {
    const asked = outcomeOf(HELD, 'envelope', statementOf({ sha256: '' }), new Scripted(reason));
    await expect(asked).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
  });

  it.each([
    ['verification-timeout', 'before'],
    ['verification-timeout', 'after'],
    ['verification-failed', 'before'],
    ['verification-failed', 'after'],
  ] as const)('is asked about again after %s also when it comes %s one that suffices', async (reason, place) => {
    const good = statementOf({ sha256: sha256(HELD).slice(7) });
    const broken = Buffer.from('broken off');
    const [first, second] = place === 'before' ? [broken, good] : [good, broken];
    const asked = outcomeOf(HELD, 'envelope', first, new Scripted(reason, good), [second]);
    await expect(asked).rejects.toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later' });
    expect(await outcomeOf(HELD, 'envelope', good, new Scripted(reason, good))).toBe('accepted ok');
  });

  it('takes nothing from one that suffices when it was looked at to its end', async () => {
    const good = statementOf({ sha256: sha256(HELD).slice(7) });
    const asked = outcomeOf(HELD, 'envelope', good, new Scripted('document-unreadable', good), [Buffer.from('unreadable')]);
    expect(await asked).toBe('accepted ok');
  });

  it('is refused for good when it is the document that cannot be read', async () => {
    expect(await outcomeOf(HELD, 'envelope', statementOf({ sha256: '' }), new Scripted('document-unreadable'))).toBe(
      'refused ERR_PACK_SIGNATURE_INVALID',
    );
  });
});
