import { canonicalJson, sha256 } from '@packs/domain';
import { aRootKey, aTrustBundle, type TrustBundleChanges } from '@packs/testing';
import {
  encodeTrustBundle,
  parseTrustBundle,
  readTrustBundle,
  requireSuccessor,
  TRUST_BUNDLE_PAYLOAD_TYPE,
  type TrustBundleBasis,
} from './trust-bundle';

const [a, b, c, d] = [aRootKey('a'), aRootKey('b'), aRootKey('c'), aRootKey('d')];
const NOW = new Date('2026-06-01T00:00:00.000Z');
const OLD = { root: [a, b, c], threshold: 2 };
const first = readTrustBundle(aTrustBundle(OLD)).bundle;

/** `taken`, or the code it is refused with. */
function judge(changes: TrustBundleChanges, previous: Partial<TrustBundleBasis> = { previous: first }): string {
  try {
    requireSuccessor(readTrustBundle(aTrustBundle({ version: 2, ...OLD, ...changes })), { tenant: 'acme', now: NOW, ...previous });
    return 'taken';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a trust bundle takes the place of the one before', () => {
  it.each<[string, TrustBundleChanges, string]>([
    ['signed by as many root keys as it needs', { signers: [a, c] }, 'taken'],
    ['signed by all of them', {}, 'taken'],
    ['signed by one too few', { signers: [b] }, 'ERR_TRUST_BUNDLE_UNSIGNED'],
    ['signed by strangers', { signers: [d, aRootKey('e')] }, 'ERR_TRUST_BUNDLE_UNSIGNED'],
    ['with new root keys, signed by the new ones alone', { root: [d], threshold: 1, signers: [d] }, 'ERR_TRUST_BUNDLE_UNSIGNED'],
    ['with new root keys, signed by the old ones alone', { root: [d], threshold: 1, signers: [a, b] }, 'ERR_TRUST_BUNDLE_UNSIGNED'],
    ['with new root keys, signed by too few of the old ones', { root: [d], threshold: 1, signers: [a, d] }, 'ERR_TRUST_BUNDLE_UNSIGNED'],
    ['with new root keys, signed by both', { root: [d], threshold: 1, signers: [a, b, d] }, 'taken'],
    ['with a lower threshold that the old one does not allow', { threshold: 1, signers: [a] }, 'ERR_TRUST_BUNDLE_UNSIGNED'],
    ['with a higher threshold than signed', { threshold: 3, signers: [a, b] }, 'ERR_TRUST_BUNDLE_UNSIGNED'],
    ['of many versions later', { version: 40 }, 'taken'],
    ['of the same version', { version: 1 }, 'ERR_TRUST_BUNDLE_ROLLBACK'],
    ['in the last moment of its time', { validUntil: NOW.toISOString() }, 'taken'],
    ['after its time', { validUntil: '2026-05-31T23:59:59.999Z' }, 'ERR_TRUST_BUNDLE_EXPIRED'],
    ['before its time', { validFrom: '2026-06-01T00:00:00.001Z' }, 'ERR_TRUST_BUNDLE_EARLY'],
    ['for everybody', { tenant: '*' }, 'taken'],
    ['for another tenant', { tenant: 'globex' }, 'ERR_TRUST_BUNDLE_TENANT'],
  ])('%s', (_, changes, expected) => {
    expect(judge(changes)).toBe(expected);
  });

  it('that is older is refused however it is signed', () => {
    expect(judge({ version: 4 }, { previous: { ...first, version: 5 } })).toBe('ERR_TRUST_BUNDLE_ROLLBACK');
  });

  it('or is the first one, signed by its own root keys', () => {
    expect(judge({ signers: [a, b] }, {})).toBe('taken');
    const unsigned = readTrustBundle(aTrustBundle({ ...OLD, signers: [a] }));
    expect(() => requireSuccessor(unsigned, { tenant: 'acme', now: NOW })).toThrow(
      expect.objectContaining({ code: 'ERR_TRUST_BUNDLE_UNSIGNED' }),
    );
  });

  it('and one key that signs twice counts once', () => {
    const { envelope } = readTrustBundle(aTrustBundle({ ...OLD, version: 2, signers: [a] }));
    const [signature = Buffer.alloc(0)] = envelope.signatures;
    expect(() => readTrustBundle(encodeTrustBundle(envelope.payload, [signature, signature]))).toThrow(
      expect.objectContaining({ code: 'ERR_TRUST_BUNDLE_INVALID' }),
    );
  });
});

describe('a file', () => {
  const good = JSON.parse(Buffer.from(readTrustBundle(aTrustBundle(OLD)).envelope.payload).toString()) as Record<string, unknown>;
  const key = a.key;

  it.each<[string, unknown, string]>([
    ['that is no object', [], 'ERR_PACK_TRUST_INVALID'],
    ['of another schema', { ...good, schema: 'v2' }, 'ERR_TRUST_BUNDLE_INVALID'],
    ['with a member nobody knows', { ...good, extra: 1 }, 'ERR_PACK_TRUST_INVALID'],
    ['without a tenant', { ...good, tenant: '' }, 'ERR_TRUST_BUNDLE_INVALID'],
    ['of version 0', { ...good, version: 0 }, 'ERR_TRUST_BUNDLE_INVALID'],
    ['of version 1.5', { ...good, version: 1.5 }, 'ERR_TRUST_BUNDLE_INVALID'],
    ['without an end', { ...good, validUntil: undefined }, 'ERR_PACK_TRUST_INVALID'],
    ['that ends before it begins', { ...good, validUntil: good['validFrom'] }, 'ERR_TRUST_BUNDLE_INVALID'],
    ['without root keys', { ...good, root: { keys: [], threshold: 1 } }, 'ERR_TRUST_BUNDLE_INVALID'],
    ['with a threshold of none', { ...good, root: { keys: [key], threshold: 0 } }, 'ERR_TRUST_BUNDLE_INVALID'],
    ['with a threshold nobody can reach', { ...good, root: { keys: [key], threshold: 2 } }, 'ERR_TRUST_BUNDLE_INVALID'],
    ['with one root key twice', { ...good, root: { keys: [key, { ...key, name: 'again' }], threshold: 2 } }, 'ERR_PACK_TRUST_INVALID'],
    [
      'with times of a root key',
      { ...good, root: { keys: [{ ...key, notAfter: NOW.toISOString() }], threshold: 1 } },
      'ERR_TRUST_BUNDLE_INVALID',
    ],
    ['with faulty revocations', { ...good, material: { keys: [], revoked: { keys: [{}] } } }, 'ERR_PACK_TRUST_INVALID'],
  ])('%s is refused', (_, payload, code) => {
    const file = encodeTrustBundle(Buffer.from(JSON.stringify(payload)), [Buffer.alloc(64)]);
    expect(() => readTrustBundle(file)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['text', 'trust'],
    ['a bare payload', canonicalJson(good)],
    ['of another payload type', canonicalJson({ payload: '', payloadType: 'text/plain', signatures: [{ sig: 'AAAA' }] })],
    ['without a signature', canonicalJson({ payload: '', payloadType: TRUST_BUNDLE_PAYLOAD_TYPE, signatures: [] })],
    ['with a member twice', `{"payload":"","payload":"","payloadType":"${TRUST_BUNDLE_PAYLOAD_TYPE}","signatures":[{"sig":"AAAA"}]}`],
  ])('%s is refused', (_, text) => {
    expect(() => readTrustBundle(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'ERR_TRUST_BUNDLE_INVALID' }));
  });

  it('with a trusted root of which a part has no start of its validity is refused', () => {
    const authority = { certChain: { certificates: [] }, validFor: {} };
    const root = { mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1', certificateAuthorities: [authority] };
    const file = encodeTrustBundle(Buffer.from(JSON.stringify({ ...good, material: { keys: [], trustedRoots: [root] } })), [
      Buffer.alloc(64),
    ]);
    expect(() => readTrustBundle(file)).toThrow(/certificateAuthorities\/0\/validFor\/start is missing/);
  });

  it('that was changed after it was signed is signed by nobody', () => {
    const { envelope } = readTrustBundle(aTrustBundle(OLD));
    const changed = encodeTrustBundle(Buffer.from(canonicalJson({ ...good, version: 9 })), envelope.signatures);
    expect(() => requireSuccessor(readTrustBundle(changed), { tenant: 'acme', now: NOW })).toThrow(
      expect.objectContaining({ code: 'ERR_TRUST_BUNDLE_UNSIGNED' }),
    );
  });

  it('is known by what is signed, whoever signs it', () => {
    const { digest, envelope } = readTrustBundle(aTrustBundle({ ...OLD, signers: [a] }));
    expect(readTrustBundle(aTrustBundle({ ...OLD, signers: [b, c] })).digest).toBe(digest);
    expect(digest).toBe(sha256(envelope.payload));
    expect(parseTrustBundle(JSON.parse(envelope.payload.toString()))).toMatchObject({ tenant: 'acme', version: 1, root: { threshold: 2 } });
  });
});
