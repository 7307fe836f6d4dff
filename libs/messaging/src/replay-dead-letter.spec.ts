import { AUDIT_CONSUMER, COVERAGE_CONSUMER, newEvent, VisibilityUpdated, type DeadLetterSummary } from '@packs/contracts';
import { sha256 } from '@packs/domain';
import { DeadLetters, type DeadMessage } from '@packs/ports';
import { ReplayDeadLetter } from './replay-dead-letter';

const EVENT = newEvent(
  VisibilityUpdated,
  {
    packId: null,
    version: null,
    actor: 'user:alice',
    tenant: 'acme',
    source: null,
    signatures: [],
    metadataHash: sha256('x'),
    shareWith: [],
  },
  new Date(0),
);

class OneDeadLetter extends DeadLetters {
  readonly replayed: string[] = [];

  constructor(private readonly consumer: string) {
    super();
  }

  async add(): Promise<void> {}

  async list(): Promise<{ deadLetters: DeadLetterSummary[]; next: null }> {
    return { deadLetters: [this.summary()], next: null };
  }

  async find(tenant: string, id: string): Promise<{ summary: DeadLetterSummary; message: DeadMessage } | undefined> {
    if (tenant !== 'acme' || id !== 'one') return undefined;
    const payload = Buffer.from(JSON.stringify(EVENT));
    return {
      summary: this.summary(),
      message: { consumer: this.consumer, subject: EVENT.type, eventId: EVENT.id, tenant, payload, reason: '', attempts: 8 },
    };
  }

  async markReplayed(_tenant: string, id: string): Promise<DeadLetterSummary> {
    this.replayed.push(id);
    return { ...this.summary(), replayedAt: '2026-01-01T00:00:00.000Z' };
  }

  private summary(): DeadLetterSummary {
    const { consumer } = this;
    return { id: 'one', consumer, subject: EVENT.type, eventId: EVENT.id, reason: '', attempts: 8, deadAt: '', replayedAt: null };
  }
}

function setUp(consumer: string, failure?: Error) {
  const deadLetters = new OneDeadLetter(consumer);
  const taken: string[] = [];
  const subscriber = (contract: typeof AUDIT_CONSUMER) => ({
    contract,
    apply: async () => {
      if (failure) throw failure;
      return taken.push(contract.name) > 0;
    },
  });
  return { deadLetters, taken, replay: new ReplayDeadLetter(deadLetters, [AUDIT_CONSUMER, COVERAGE_CONSUMER].map(subscriber)) };
}

describe('ReplayDeadLetter', () => {
  it.each([AUDIT_CONSUMER.name, COVERAGE_CONSUMER.name])('gives a message that %s gave up on to that consumer alone', async consumer => {
    const { replay, taken, deadLetters } = setUp(consumer);
    expect(await replay.execute({ tenant: 'acme', id: 'one' })).toMatchObject({ deadLetter: { consumer, replayedAt: expect.any(String) } });
    expect(taken).toEqual([consumer]);
    expect(deadLetters.replayed).toEqual(['one']);
  });

  it('leaves a message that fails again where it is', async () => {
    const failure = new Error('still broken');
    const { replay, deadLetters } = setUp(AUDIT_CONSUMER.name, failure);
    await expect(replay.execute({ tenant: 'acme', id: 'one' })).rejects.toBe(failure);
    expect(deadLetters.replayed).toEqual([]);
  });

  it.each([
    ['of another process', 'mirror-plan', 'acme', 'one'],
    ['of another tenant', AUDIT_CONSUMER.name, 'globex', 'one'],
    ['that is not there', AUDIT_CONSUMER.name, 'acme', 'two'],
  ])('does not find a message %s', async (_, consumer, tenant, id) => {
    const { replay, taken } = setUp(consumer);
    await expect(replay.execute({ tenant, id })).rejects.toMatchObject({ code: 'ERR_PACK_NOT_FOUND' });
    expect(taken).toEqual([]);
  });
});
