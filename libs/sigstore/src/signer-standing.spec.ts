import { generateKeyPairSync } from 'node:crypto';
import { canonicalJson, MEDIA_TYPES, sha256, type Revocations, type TrustedKey, type TrustMaterial } from '@packs/domain';
import { aKeylessAuthority, type KeylessAuthority } from '@packs/testing';
import { keyIdOf } from './public-key';
import { dsseDocument, pemOf, SpecSigner, statementAbout } from './signer.fixture';
import { authorityIdsOf } from './trusted-root';
import {
  encodeTrustMaterial,
  parseTrustMaterial,
  readKeyList,
  readTrustMaterial,
  trustedKeyFromPem,
  type KeyWindow,
} from './trust-material';
import { runTask } from './verification-task';

const ARTIFACT = Buffer.from('what is signed');
const BUNDLE = sha256(ARTIFACT);
const MANIFEST = sha256('its manifest');
const AT = '2026-06-15T12:00:00.000Z';
const DAY = 24 * 3_600_000;
const later = (ms: number, than = AT): string => new Date(Date.parse(than) + ms).toISOString();

const signer = new SpecSigner('ecdsa-p256-sha256');

function material(keys: readonly TrustedKey[], revoked?: Revocations, roots: readonly object[] = []): TrustMaterial {
  const trustedRoots = roots.length > 0 ? { trustedRoots: roots.map(canonicalJson) } : {};
  return readTrustMaterial(encodeTrustMaterial({ keys, ...trustedRoots, ...(revoked && { revoked }) }));
}

const within = (window: KeyWindow, key = signer.key): TrustedKey => ({ ...key, ...window });

/** `verified`, or the reason and the code of the refusal. */
function judge(trust: TrustMaterial, content: Uint8Array, evaluatedAt = AT, as: 'bundle' | 'envelope' | 'attestation' = 'bundle'): unknown {
  const mediaType = as === 'bundle' ? MEDIA_TYPES.sigstoreBundle : MEDIA_TYPES.dsseEnvelope;
  const common = { trust: sha256(''), evaluatedAt, content, mediaType } as const;
  const subjects = [{ digest: BUNDLE, bytes: ARTIFACT }, { digest: MANIFEST }];
  const answer =
    as === 'attestation'
      ? runTask({ ...common, kind: 'attestation', subjects: [BUNDLE, MANIFEST] }, trust)
      : runTask({ ...common, kind: 'signature', subjects }, trust);
  return answer.refusal ? [answer.refusal.reason, answer.refusal.error] : answer.outcome;
}

const EXPIRED = ['key-expired', 'ERR_PACK_KEY_EXPIRED'];
const EARLY = ['key-not-yet-valid', 'ERR_PACK_KEY_NOT_YET_VALID'];
const KEY_REVOKED = ['key-revoked', 'ERR_PACK_KEY_REVOKED'];
const IDENTITY_REVOKED = ['identity-revoked', 'ERR_PACK_IDENTITY_REVOKED'];
const DIGEST_REVOKED = ['digest-revoked', 'ERR_PACK_DIGEST_REVOKED'];

describe('a key with times', () => {
  it.each<[string, KeyWindow, unknown]>([
    ['none', {}, 'verified'],
    ['from this moment on', { notBefore: AT }, 'verified'],
    ['from a millisecond later on', { notBefore: later(1) }, EARLY],
    ['until this moment', { notAfter: AT }, 'verified'],
    ['until a millisecond ago', { notAfter: later(-1) }, EXPIRED],
    ['around this moment', { notBefore: later(-DAY), notAfter: later(DAY) }, 'verified'],
    ['that are over', { notBefore: later(-2 * DAY), notAfter: later(-DAY) }, EXPIRED],
    ['to come', { notBefore: later(DAY), notAfter: later(2 * DAY) }, EARLY],
  ])('%s', (_, window, expected) => {
    expect(judge(material([within(window)]), signer.messageBundle(ARTIFACT).content)).toEqual(expected);
    expect(judge(material([within(window)]), signer.envelope(ARTIFACT).content, AT, 'attestation')).toEqual(expected);
  });

  it('says nothing of what it did not sign', () => {
    const other = new SpecSigner('ecdsa-p256-sha256');
    const [reason] = judge(material([within({ notAfter: later(-DAY) })]), other.messageBundle(ARTIFACT).content) as string[];
    expect(reason).toBe('key-untrusted');
  });

  it('takes nothing from another signature in the same envelope', () => {
    const next = new SpecSigner('ed25519', 'next');
    const envelope = signer.envelopeOf(statementAbout(ARTIFACT)) as { signatures: object[] };
    const { signatures } = next.envelopeOf(statementAbout(ARTIFACT)) as typeof envelope;
    const both = dsseDocument({ ...envelope, signatures: [...envelope.signatures, ...signatures] }).content;
    const trust = (window: KeyWindow) => material([within({ notAfter: later(-DAY) }), within(window, next.key)]);
    expect(judge(trust({}), both, AT, 'attestation')).toBe('verified');
    expect(judge(trust({ notBefore: later(DAY) }), both, AT, 'attestation')).toEqual(EARLY);
    expect(judge(trust({}), both, AT, 'envelope')).toBe('verified');
    expect(judge(trust({ notBefore: later(DAY) }), both, AT, 'envelope')).toEqual(EXPIRED);
  });
});

describe('a revoked', () => {
  const content = signer.messageBundle(ARTIFACT).content;
  const statement = signer.envelope(ARTIFACT).content;
  const keyId = keyIdOf(signer.key);

  it.each<[string, Revocations, unknown]>([
    ['key', { keys: [{ keyId, reason: 'lost' }] }, KEY_REVOKED],
    [
      'key since some time, when nothing proves that it signed before',
      { keys: [{ keyId, since: later(DAY), reason: 'lost' }] },
      KEY_REVOKED,
    ],
    ['key of somebody else', { keys: [{ keyId: BUNDLE, reason: 'lost' }] }, 'verified'],
    ['identity', { identities: [{ issuer: 'release', identity: 'release', reason: 'left' }] }, 'verified'],
    ['bundle', { digests: [{ digest: BUNDLE, reason: 'malware' }] }, DIGEST_REVOKED],
    ['manifest', { digests: [{ digest: MANIFEST, reason: 'malware' }] }, DIGEST_REVOKED],
    ['other digest', { digests: [{ digest: sha256('other'), reason: 'malware' }] }, 'verified'],
  ])('%s', (_, revoked, expected) => {
    expect(judge(material([signer.key], revoked), content)).toEqual(expected);
    expect(judge(material([signer.key], revoked), statement, AT, 'attestation')).toEqual(expected);
  });

  it('signature or attestation counts for nothing, and others of the same bundle do', () => {
    const revoked = { digests: [{ digest: sha256(content), reason: 'by mistake' }] };
    expect(judge(material([signer.key], revoked), content)).toEqual(DIGEST_REVOKED);
    expect(judge(material([signer.key], revoked), statement, AT, 'attestation')).toBe('verified');
  });
});

describe('what a log proves the time of', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = trustedKeyFromPem('logged', pemOf(pair.publicKey));
  const who = { issuer: 'https://issuer.test', identity: 'https://git.test/acme/release' };
  let authority: KeylessAuthority;
  let byKey: Buffer;
  let byIdentity: Buffer;
  let now: string;

  beforeAll(async () => {
    now = new Date().toISOString();
    authority = await aKeylessAuthority();
    [byKey, byIdentity] = await Promise.all([authority.loggedBundle(ARTIFACT, pair), authority.bundle(ARTIFACT, who)]);
  });

  const at = (ms: number): string => later(ms, now);
  const trust = (window: KeyWindow, revoked?: Revocations, roots = [authority.trustedRoot]): TrustMaterial =>
    material([within(window, key)], revoked, roots);

  it('counts on after its key has expired, as long as the log is trusted', () => {
    const window = { notAfter: at(DAY) };
    expect(judge(trust(window), byKey, at(2 * DAY))).toBe('verified');
    expect(judge(trust(window, undefined, []), byKey, at(2 * DAY))).toEqual(EXPIRED);
  });

  it('does not count when that time is outside of its key’s', () => {
    expect(judge(trust({ notAfter: at(-DAY) }), byKey, at(-2 * DAY))).toEqual(EXPIRED);
    expect(judge(trust({ notBefore: at(DAY) }), byKey, at(2 * DAY))).toEqual(EARLY);
  });

  it.each([
    ['before the revocation', DAY, 'verified'],
    ['after it', -DAY, KEY_REVOKED],
  ])('by a key revoked since some time: %s', (_, since, expected) => {
    const revoked = { keys: [{ keyId: keyIdOf(key), since: at(since), reason: 'lost' }] };
    expect(judge(trust({}, revoked), byKey, now)).toEqual(expected);
    expect(judge(trust({}, revoked, []), byKey, now)).toEqual(KEY_REVOKED);
  });

  it.each<[string, number | undefined, unknown]>([
    ['without a time', undefined, IDENTITY_REVOKED],
    ['since before it signed', -DAY, IDENTITY_REVOKED],
    ['since after it signed', DAY, 'verified'],
  ])('by an identity revoked %s', (_, since, expected) => {
    const entry = { ...who, ...(since !== undefined && { since: at(since) }), reason: 'left' };
    expect(judge(trust({}, { identities: [entry] }), byIdentity, now)).toEqual(expected);
    expect(judge(trust({}, { identities: [{ ...entry, identity: `${who.identity}/` }] }), byIdentity, now)).toBe('verified');
  });

  it('by an authority that is revoked is refused', () => {
    const [keyId = BUNDLE] = authorityIdsOf(trust({}));
    expect(judge(trust({}, { keys: [{ keyId, reason: 'broken into' }] }), byIdentity, now)).toEqual(KEY_REVOKED);
  });
});

describe('trust material with times and revocations', () => {
  const digest = BUNDLE;
  const plain = { name: 'a', publicKey: signer.key.publicKey };

  it('has one encoding however it is spelled', () => {
    const one = parseTrustMaterial({
      keys: [{ ...plain, notBefore: '2026-01-01T02:00:00+02:00', notAfter: '2027-01-01T00:00:00.000000Z' }],
      revoked: {
        digests: [
          { digest: MANIFEST, reason: 'b' },
          { digest, reason: 'a' },
        ].toSorted((a, b) => (a.digest < b.digest ? 1 : -1)),
        keys: [],
      },
    });
    const other = parseTrustMaterial({
      keys: [{ ...plain, notBefore: '2026-01-01T00:00:00Z', notAfter: '2027-01-01T00:00:00Z' }],
      revoked: {
        digests: [
          { digest: MANIFEST, reason: 'b' },
          { digest, reason: 'a' },
        ].toSorted((a, b) => (a.digest < b.digest ? -1 : 1)),
      },
    });
    expect(encodeTrustMaterial(one)).toEqual(encodeTrustMaterial(other));
    expect(readTrustMaterial(encodeTrustMaterial(one))).toEqual(one);
  });

  it('is refused where there is room for keys alone', () => {
    const timed = within({ notAfter: AT });
    expect(readKeyList(encodeTrustMaterial({ keys: [signer.key] }))).toEqual([signer.key]);
    expect(() => readKeyList(encodeTrustMaterial({ keys: [timed] }))).toThrow('no times');
    expect(() => readKeyList(encodeTrustMaterial({ keys: [], revoked: { digests: [{ digest, reason: 'x' }] } }))).toThrow('keys alone');
  });

  it('keeps the digest it had before there were any', () => {
    const without = parseTrustMaterial({ keys: [plain] });
    expect(encodeTrustMaterial(parseTrustMaterial({ keys: [plain], revoked: { keys: [], identities: [], digests: [] } }))).toEqual(
      encodeTrustMaterial(without),
    );
    expect(encodeTrustMaterial(without).toString()).toBe(
      canonicalJson({ keys: [{ name: 'a', publicKey: plain.publicKey, scheme: 'ecdsa-p256-sha256' }] }),
    );
  });

  it.each<[string, object]>([
    ['/keys/0/notBefore', { keys: [{ ...plain, notBefore: 'soon' }] }],
    ['/keys/0/notBefore', { keys: [{ ...plain, notBefore: '2026-01-01' }] }],
    ['/keys/0/notBefore', { keys: [{ ...plain, notBefore: 1 }] }],
    ['/keys/0/notAfter', { keys: [{ ...plain, notAfter: '2026-04-31T00:00:00Z' }] }],
    ['/keys/0/notAfter', { keys: [{ ...plain, notAfter: null }] }],
    ['/keys/0/notAfter', { keys: [{ ...plain, notBefore: '2026-01-01T00:00:00Z', notAfter: '2026-01-01T00:00:00Z' }] }],
    ['/revoked', { keys: [], revoked: [] }],
    ['/revoked', { keys: [], revoked: { names: [] } }],
    ['/revoked/keys', { keys: [], revoked: { keys: {} } }],
    ['/revoked/keys', { keys: [], revoked: { keys: Array.from({ length: 501 }, () => ({})) } }],
    ['/revoked/keys/0/keyId', { keys: [], revoked: { keys: [{ keyId: 'release', reason: 'x' }] } }],
    ['/revoked/keys/0/reason', { keys: [], revoked: { keys: [{ keyId: digest }] } }],
    ['/revoked/keys/0/reason', { keys: [], revoked: { keys: [{ keyId: digest, reason: ' ' }] } }],
    ['/revoked/keys/0/since', { keys: [], revoked: { keys: [{ keyId: digest, reason: 'x', since: 'then' }] } }],
    [
      '/revoked/keys/1',
      {
        keys: [],
        revoked: {
          keys: [
            { keyId: digest, reason: 'x' },
            { keyId: digest, reason: 'y' },
          ],
        },
      },
    ],
    ['/revoked/identities/0/issuer', { keys: [], revoked: { identities: [{ identity: 'a', reason: 'x' }] } }],
    ['/revoked/identities/0/identity', { keys: [], revoked: { identities: [{ issuer: 'a', identity: 'b\nc', reason: 'x' }] } }],
    ['/revoked/digests/0', { keys: [], revoked: { digests: [{ digest, reason: 'x', since: '2026-01-01T00:00:00Z' }] } }],
    ['/revoked/digests/0/reason', { keys: [], revoked: { digests: [{ digest, reason: 'x'.repeat(201) }] } }],
  ])('is refused with a pointer to %s', (pointer, value) => {
    expect(() => parseTrustMaterial(value)).toThrow(
      expect.objectContaining({ code: 'ERR_PACK_TRUST_INVALID', errors: [expect.objectContaining({ pointer })] }),
    );
  });
});
