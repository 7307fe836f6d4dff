import { newEvent, PolicyUpdated, TrustUpdated, VisibilityUpdated, type ImportKitRequest } from '@packs/contracts';
import { canonicalDigest, DomainError, parsePolicyRequirements, parsePolicyRule, policyDigest, type SigningPolicy } from '@packs/domain';
import { readWhole, type BlobStore, type RegistryTx, type TrustState } from '@packs/ports';
import { authorityIdsOf, keyIdOf, readTrustMaterial } from '@packs/sigstore';
import type { KitContents } from './kit-contents';

const TRUST_MAX_BYTES = 1024 * 1024;
const MAX_POLICIES = 64;

/** What a tenant's trust will be once a kit's was taken over, and how it differs from what it is. */
export interface AdoptedTrust {
  readonly state: TrustState;
  readonly policies: readonly SigningPolicy[];
}

/** The keys and allow-list of the kit in place of the tenant's, its policies in place of those of the same name. */
export async function adoptedTrust(contents: KitContents, current: TrustState): Promise<AdoptedTrust> {
  const { trust } = contents.manifest;
  if (!trust.current)
    throw new DomainError('ERR_PACK_TRUST_INVALID', 'the kit brings no keys to be trusted: it comes from a tenant that had none');
  const policies: SigningPolicy[] = [];
  for (const descriptor of trust.policies.filter(policy => policy.active)) {
    const stated = readable(await contents.json<SigningPolicy>(descriptor));
    const own = current.policies.find(({ name }) => name === stated.name);
    const next = { ...stated, version: (own?.version ?? 0) + 1 };
    if (!own || canonicalDigest({ ...own, version: 0 }) !== canonicalDigest({ ...next, version: 0 })) policies.push(next);
  }
  const replaced = new Set(policies.map(({ name }) => name));
  const all = [...current.policies.filter(({ name }) => !replaced.has(name)), ...policies].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (all.length > MAX_POLICIES) throw new DomainError('ERR_PACK_LIMIT', `a tenant has at most ${MAX_POLICIES} policies`);
  const changed = trust.current !== current.digest;
  const keys = changed ? { epoch: current.epoch + 1, digest: trust.current, material: contents.ref({ digest: trust.current }) } : {};
  return { state: { ...current, ...keys, policies: all, shareWith: trust.shareWith }, policies };
}

/** A policy of a kit has to be one that could have been written here. @throws DomainError ERR_PACK_POLICY_INVALID */
function readable(policy: SigningPolicy): SigningPolicy {
  const rule = parsePolicyRule(policy.rule);
  return policy.require === undefined ? { ...policy, rule } : { ...policy, rule, require: parsePolicyRequirements(policy.require) };
}

/** Writes what differs, each change with its event. The tenant's trust is held by the transaction, and the kit's blobs are recorded. */
export async function adoptTrust(
  tx: RegistryTx,
  { tenant, actor, source }: ImportKitRequest,
  {
    adopted,
    current,
    store,
    now,
  }: { readonly adopted: AdoptedTrust; readonly current: TrustState; readonly store: BlobStore; readonly now: Date },
): Promise<void> {
  const { epoch, digest, material, shareWith } = adopted.state;
  const data = { packId: null, version: null, actor, tenant, source, signatures: [] };
  if (material && digest !== current.digest) {
    const trusted = readTrustMaterial(await readWhole(store, material, TRUST_MAX_BYTES));
    const keyIds = [...trusted.keys.map(keyIdOf), ...authorityIdsOf(trusted)];
    await tx.trust.setMaterial(tenant, epoch, material);
    await tx.outbox.append(newEvent(TrustUpdated, { ...data, metadataHash: digest, epoch, digest, keyIds }, now));
  }
  for (const policy of adopted.policies) {
    await tx.trust.addPolicy(policy, tenant, actor);
    const hash = policyDigest(policy);
    await tx.outbox.append(newEvent(PolicyUpdated, { ...data, metadataHash: hash, policy, policyDigest: hash }, now));
  }
  if (canonicalDigest(shareWith) !== canonicalDigest(current.shareWith)) {
    await tx.trust.setShareWith(tenant, shareWith);
    const state = { shareWith: [...shareWith] };
    await tx.outbox.append(newEvent(VisibilityUpdated, { ...data, metadataHash: canonicalDigest(state), ...state }, now));
  }
}
