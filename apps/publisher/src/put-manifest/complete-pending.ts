import type { RegistryUnitOfWork } from '@packs/ports';
import type { PublishArtifact } from '../publish-pack/publish-artifact';
import type { RecordedPush } from './put-manifest';

/** Asks for another verdict on a version that waits, with everything that refers to it by now. */
export class CompletePending {
  constructor(
    private readonly unitOfWork: RegistryUnitOfWork,
    private readonly publishArtifact: PublishArtifact,
  ) {}

  /** @returns `none` when the version does not wait */
  async execute(
    { tenant, actor, source }: Pick<RecordedPush, 'tenant' | 'actor' | 'source'>,
    packId: string,
    version: string,
  ): Promise<'published' | 'pending' | 'none'> {
    const begin = await this.unitOfWork.run(tenant, async tx => ({
      claim: await tx.pendingVersions.find(tenant, packId, version),
      trust: await tx.trust.state(tenant, 'none'),
    }));
    const { claim, trust } = begin;
    if (!claim) return 'none';
    const { channel, bundle } = claim;
    const submission = { tenant, actor, source, packId, version, channel, bundle, signatures: [], completesOnly: true };
    const joined = await this.publishArtifact.join(submission, { claim });
    const reply = await this.publishArtifact.execute(joined, trust, NO_HOOKS);
    return reply.outcome === 'pending' || reply.outcome === 'rejected' ? 'pending' : 'published';
  }
}

const NO_HOOKS = { earlier: () => Promise.resolve(undefined), keep: () => Promise.resolve(), check: () => undefined };
