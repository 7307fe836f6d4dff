import { rmSync } from 'node:fs';
import type { DeadLetterView, EventEnvelope } from '@packs/contracts';
import { eventually } from '@packs/testing';
import type { Caller } from './caller';
import { CommandLine } from './command-line';
import { withNats } from './nats-admin';
import { aBundle, aManifest } from './pack-bundle';
import { newTenant, Registry } from './registry';
import { SigningKey } from './signing-key';

/** The tenant whose administrators see what names no tenant. */
const OPERATORS = 'platform';
const key = new SigningKey('release');
let registry: Registry;
let operator: CommandLine;
let tenant: Caller;

beforeAll(async () => {
  registry = await Registry.shared();
  tenant = await registry.caller();
  await tenant.accept(key);
  operator = await commandLineOf(OPERATORS);
});

afterAll(() => rmSync(operator.folder, { recursive: true }));

async function commandLineOf(name: string): Promise<CommandLine> {
  const { token } = await registry.caller(name, 'packs.admin');
  return new CommandLine({ STELLA_REGISTRY_URL: registry.gatewayUrl, STELLA_TOKEN: token ?? '' });
}

/** What the audit log's consumer gave up on; the other consumers set the same events aside for themselves. */
async function listed(who: CommandLine): Promise<readonly DeadLetterView[]> {
  const { code, stdout, stderr } = await who.registry('dead-letters', 'list', '--output', 'json');
  expect([code, stderr]).toEqual([0, '']);
  const { deadLetters } = JSON.parse(stdout) as { deadLetters: DeadLetterView[] };
  return deadLetters.filter(({ consumer }) => consumer === 'compliance-audit');
}

/** As the publisher's own user, which may publish events and nothing else. */
async function emit(subject: string, payload: string): Promise<void> {
  await withNats(registry, 'publisher', async connection => {
    await connection.jetstream().publish(subject, payload);
  });
}

async function publish(packId: string): Promise<void> {
  const bundle = aBundle(aManifest(packId));
  expect((await tenant.publish(bundle, { signatures: [key.sigstore(bundle.bytes)] })).status).toBe(201);
}

/** A right event of the tenant's, as the record has it. */
async function recorded(): Promise<EventEnvelope> {
  const [row] = await registry.sql<{ payload: Buffer }>(
    `select payload from registry.outbox where tenant = $1 and subject = 'registry.trust.updated'`,
    [tenant.tenant],
  );
  return JSON.parse(row?.payload.toString() ?? '') as EventEnvelope;
}

describe('an event nobody can read', () => {
  it('is set aside for the operators with its reason, and those behind it are appended', async () => {
    const before = await listed(operator);
    await emit('pack.version.published', '{ this is no JSON');
    await publish('behind-the-poison');
    await eventually(async () => {
      expect((await tenant.audit()).map(({ packId }) => packId)).toContain('behind-the-poison');
    });
    const letters = await eventually(async () => {
      const found = await listed(operator);
      expect(found).toHaveLength(before.length + 1);
      return found;
    });
    const letter = letters.at(-1) as DeadLetterView;
    expect(letter).toEqual({
      id: expect.any(String),
      consumer: 'compliance-audit',
      subject: 'pack.version.published',
      eventId: null,
      reason: expect.stringContaining('not JSON'),
      attempts: 1,
      deadAt: expect.stringMatching(/Z$/),
      replayedAt: null,
    });
    // It is as bad as it was: to hand it over again says so, and changes nothing.
    const replay = await operator.registry('dead-letters', 'replay', letter.id);
    expect([replay.code, replay.stderr]).toEqual([2, expect.stringContaining('not JSON')]);
    expect(await listed(operator)).toEqual(letters);
  });
});

describe('an event that does not follow its contract', () => {
  it('is set aside for the tenant it names, and for nobody else', async () => {
    const envelope = await recorded();
    const id = `evt_${'0'.repeat(25)}1`;
    const data = { ...envelope.data, id, epoch: 'the first', surprise: true };
    await emit('registry.trust.updated', JSON.stringify({ ...envelope, id, data }));
    const owner = await commandLineOf(tenant.tenant);
    const [letter] = await eventually(async () => {
      const found = await listed(owner);
      expect(found).toHaveLength(1);
      return found;
    });
    expect(letter).toMatchObject({ eventId: id, subject: 'registry.trust.updated', reason: expect.stringContaining('contract') });
    const stranger = await commandLineOf(newTenant());
    expect(await listed(stranger)).toEqual([]);
    expect((await listed(operator)).map(({ eventId }) => eventId)).not.toContain(id);
    const taken = await stranger.registry('dead-letters', 'replay', letter?.id ?? '');
    expect(taken.code).toBe(5);
    expect((await tenant.audit()).map(entry => entry.id)).not.toContain(id);
    for (const { folder } of [owner, stranger]) rmSync(folder, { recursive: true });
  });
});

describe('an event that could not be handled once', () => {
  it('is appended when it is handed over again, once however often', async () => {
    const envelope = await recorded();
    const id = `evt_${'0'.repeat(25)}2`;
    const payload = JSON.stringify({ ...envelope, id, data: { ...envelope.data, id } });
    await registry.sql(
      `insert into compliance.dead_letters (id, consumer, tenant, subject, event_id, payload_hash, payload, reason, attempts)
       values ($1, 'compliance-audit', $2, 'registry.trust.updated', $1, $1, $3, 'a fault that was mended', 8)`,
      [id, tenant.tenant, Buffer.from(payload)],
    );
    const before = await tenant.audit();
    for (const _ of [1, 2]) {
      const { status, body } = await tenant.send('POST', `/api/dead-letters/${id}/replay`);
      expect([status, body]).toEqual([200, expect.objectContaining({ id, replayedAt: expect.stringMatching(/Z$/) })]);
    }
    const after = await tenant.audit();
    expect(after.slice(0, -1)).toEqual(before);
    expect(after.at(-1)).toMatchObject({ id, seq: before.length + 1, type: 'registry.trust.updated' });
  });
});
