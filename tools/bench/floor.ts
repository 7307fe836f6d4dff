import { join } from 'node:path';
import { NATS_ADMIN } from '../stack/workspace';
import { CommitFloor } from './floor-commit';
import { HopFloor } from './floor-hops';
import { ObjectFloor } from './floor-objects';
import { VerifyFloor } from './floor-verify';
import type { RegistryUnderTest } from './registry-under-test';
import type { SignedPack } from './signed-packs';
import { measureSteps } from './turn';

/** Median times in milliseconds of what a publish cannot do without; one operation at a time. */
export interface FloorTimes {
  readonly objects: number;
  readonly verify: number;
  readonly commit: number;
  readonly hops: number;
  /** `objects`, `verify`, `commit` and `hops` one after another. */
  readonly sum: number;
  /** For comparison, not in the sum. */
  readonly objectsInTwoGroups: number;
  readonly bundleAlone: number;
}

/** Each part a publish is made of, on the same servers and the same disk, without everything that makes it a product. */
export class Floor {
  private commits = 0;

  private constructor(
    private readonly objects: ObjectFloor,
    private readonly verifier: VerifyFloor,
    private readonly hops: HopFloor,
    readonly committing: CommitFloor,
  ) {}

  /** @param published a version that was published: its rows are the model of the floor's */
  static async open(registry: RegistryUnderTest, publicKey: string, published: SignedPack): Promise<Floor> {
    const { stack } = registry;
    const commit = await CommitFloor.open(stack.databaseAdminUrl ?? '', published.packId, published.version);
    const hops = await HopFloor.open({ url: stack.natsUrl, user: NATS_ADMIN, password: stack.nats.passwords[NATS_ADMIN] ?? '' });
    const objects = await ObjectFloor.open(join(stack.dataDir, 'floor'));
    return new Floor(objects, new VerifyFloor(publicKey), hops, commit);
  }

  get natsVersion(): string {
    return this.hops.serverVersion;
  }

  async measure(packs: readonly SignedPack[], signal: AbortSignal): Promise<FloorTimes> {
    const each = (step: (pack: SignedPack) => Promise<void>) =>
      measureSteps(packs.length, signal, async at => {
        const pack = packs[at];
        if (pack) await step(pack);
      });
    const objects = await each(pack => this.objects.allAtOnce(pack));
    const objectsInTwoGroups = await each(pack => this.objects.inTwoGroups(pack));
    const bundleAlone = await each(pack => this.objects.bundleAlone(pack));
    const verify = await each(pack => this.verifier.verify(pack));
    const commit = await each(() => this.committing.commit(++this.commits));
    const hops = await each(() => this.hops.twoHops());
    return { objects, verify, commit, hops, sum: objects + verify + commit + hops, objectsInTwoGroups, bundleAlone };
  }

  async close(): Promise<void> {
    this.hops.close();
    await this.committing.close();
  }
}
