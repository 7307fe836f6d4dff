import { isChoice, isSatisfied, signersOf, type PackType, type Signer, type SigningPolicy } from '@packs/domain';
import type { CheckList } from './check-list';

/** What a policy is asked for: the place a version has or is to have. */
export interface PolicyTarget {
  readonly channel: string;
  readonly packType: PackType;
}

export function failForWantOfPolicy({ channel, packType }: PolicyTarget, list: CheckList): void {
  list.fail('policy', { code: 'ERR_PACK_POLICY_MISSING', message: `no signing policy covers ${packType} packs in channel ${channel}` });
}

/** Whether those who signed suffice. Without a single signer there is nothing to ask. */
export function judgeSigners(policy: SigningPolicy, signers: readonly Signer[], list: CheckList): boolean {
  if (signers.length === 0) {
    list.skip('policy', 'not-reached');
    return false;
  }
  if (isSatisfied(policy.rule, signers)) {
    list.pass('policy');
    return true;
  }
  const named = [...new Set(signersOf(policy.rule))].toSorted().join(', ');
  const wanted = isChoice(policy.rule) ? 'a signature by one of' : 'more signatures, by some or all of';
  list.fail('policy', { code: 'ERR_PACK_SIGNATURE_UNTRUSTED', message: `policy ${policy.name} asks for ${wanted}: ${named}` });
  return false;
}
