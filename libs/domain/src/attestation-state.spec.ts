import { firstFailure, lacksTrustAlone } from './attestation-state';
import type { Check, Verdict } from './verdict';

const UNTRUSTED = 'ERR_PACK_SIGNATURE_UNTRUSTED';
const INVALID = 'ERR_PACK_SIGNATURE_INVALID';

const verdict = (...failed: readonly (readonly [Check['id'], Check['reason']])[]): Verdict =>
  ({
    outcome: failed.length === 0 ? 'accepted' : 'rejected',
    checks: [{ id: 'digest', outcome: 'pass', reason: 'ok' }, ...failed.map(([id, reason]) => ({ id, outcome: 'fail', reason }))],
  }) as unknown as Verdict;

describe('lacksTrustAlone', () => {
  it.each<[string, Verdict, boolean, boolean]>([
    ['an unknown signer', verdict(['signature', UNTRUSTED]), true, true],
    ['a signer the policy does not ask for', verdict(['policy', UNTRUSTED]), true, true],
    ['a signature that no trusted key made, of nobody named', verdict(['signature', INVALID]), false, true],
    ['a wrong signature of somebody named', verdict(['signature', INVALID]), true, false],
    ['a statement about something else', verdict(['statement', 'ERR_PACK_ATTESTATION_INVALID']), false, false],
    ['that and an unknown signer', verdict(['signature', UNTRUSTED], ['statement', 'ERR_PACK_ATTESTATION_INVALID']), true, false],
    ['no policy', verdict(['policy', 'ERR_PACK_POLICY_MISSING']), false, false],
    ['damaged bytes', verdict(['digest', 'ERR_PACK_DIGEST_MISMATCH']), false, false],
    ['nothing', verdict(), true, false],
  ])('of %s', (_, one, namesSigner, expected) => expect(lacksTrustAlone(one, namesSigner)).toBe(expected));
});

describe('firstFailure', () => {
  it('is the first reason, or none', () => {
    expect(firstFailure(verdict(['signature', UNTRUSTED], ['policy', 'ERR_PACK_POLICY_MISSING']))).toBe(UNTRUSTED);
    expect(firstFailure(verdict())).toBeNull();
  });
});
