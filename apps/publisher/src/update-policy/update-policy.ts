import { newEvent, PolicyUpdated, type UpdatePolicyReply, type UpdatePolicyRequest } from '@packs/contracts';
import { canonicalDigest, canonicalJson, DomainError, policyDigest, type SigningPolicy } from '@packs/domain';
import type { Clock, RegistryUnitOfWork } from '@packs/ports';

/** Active policies of one tenant at the most. */
const MAX_POLICIES = 64;
const MAX_POLICY_BYTES = 32 * 1024;

/** Writes the next version of a policy. Earlier versions stay: verdicts name them. */
export class UpdatePolicy {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError ERR_PACK_LIMIT */
  execute(request: UpdatePolicyRequest): Promise<UpdatePolicyReply> {
    const { tenant, actor, source } = request;
    return this.unitOfWork.run(tenant, async tx => {
      const { policies } = await tx.trust.state(tenant, 'update');
      const current = policies.find(policy => policy.name === request.name);
      if (!current && policies.length >= MAX_POLICIES)
        throw new DomainError('ERR_PACK_LIMIT', `a tenant has at most ${MAX_POLICIES} policies`);
      const policy = toPolicy(request, (current?.version ?? 0) + 1);
      if (current && canonicalDigest({ ...current, version: 0 }) === canonicalDigest({ ...policy, version: 0 })) {
        return { policy: current, changed: false };
      }
      requireFit([...policies.filter(other => other.name !== policy.name), policy]);
      await tx.trust.addPolicy(policy, tenant, actor);
      const digest = policyDigest(policy);
      const data = { packId: null, version: null, actor, tenant, source, signatures: [], metadataHash: digest };
      await tx.outbox.append(newEvent(PolicyUpdated, { ...data, policy, policyDigest: digest }, this.clock.now()));
      return { policy, changed: true };
    });
  }
}

function toPolicy({ name, channel, packType, rule, unsigned, require }: UpdatePolicyRequest, version: number): SigningPolicy {
  const binding = { ...(channel !== null && { channel }), ...(packType !== null && { packType }) };
  return { name, version, ...binding, rule, unsigned, ...(require && { require }) };
}

/** Every question to the verifier brings all policies in force: together with the rest of it they have to fit into one message. */
function requireFit(policies: readonly SigningPolicy[]): void {
  const bytes = Buffer.byteLength(canonicalJson(policies));
  if (bytes <= MAX_POLICY_BYTES) return;
  throw new DomainError(
    'ERR_PACK_LIMIT',
    `the policies of a tenant take ${MAX_POLICY_BYTES} bytes at the most; with this one they take ${bytes}`,
  );
}
