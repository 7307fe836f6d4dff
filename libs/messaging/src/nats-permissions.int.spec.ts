import { COMMANDS, EVENTS, inboxPrefix, natsPermissions, PROCESSES, type ProcessName } from '@packs/contracts';
import { testNats, type TestNats } from '@packs/testing';
import { connect, Events, type NatsConnection } from 'nats';
import { openConnection } from './connection';

const COMMAND_SUBJECTS = COMMANDS.map(command => command.contract.subject);
const EVENT_SUBJECTS = EVENTS.map(event => event.type);
const CONSUMERS: Readonly<Record<string, readonly string[]>> = {
  compliance: ['PACKS.compliance-audit', 'PACKS.compliance-coverage'],
  'mirror-worker': ['PACKS.mirror-plan'],
  'parity-worker': ['PACKS.parity-plan'],
};

/** The server's own subjects, those of the stream in use and those nobody needs. */
const JETSTREAM = [
  '$JS.API.INFO',
  ...['INFO', 'CREATE', 'UPDATE', 'DELETE', 'PURGE', 'MSG.GET', 'MSG.DELETE', 'SNAPSHOT', 'RESTORE', 'NAMES', 'LIST'].flatMap(verb => [
    `$JS.API.STREAM.${verb}.PACKS`,
    `$JS.API.STREAM.${verb}.OTHER`,
  ]),
  ...['CREATE', 'DURABLE.CREATE', 'INFO', 'MSG.NEXT', 'DELETE'].flatMap(verb => [
    ...Object.values(CONSUMERS)
      .flat()
      .map(consumer => `$JS.API.CONSUMER.${verb}.${consumer}`),
    `$JS.API.CONSUMER.${verb}.PACKS.another`,
    `$JS.API.CONSUMER.${verb}.OTHER.compliance-audit`,
  ]),
  '$JS.API.CONSUMER.CREATE.PACKS',
  '$JS.API.DIRECT.GET.PACKS',
  ...Object.values(CONSUMERS)
    .flat()
    .map(consumer => `$JS.ACK.${consumer}.1.1.1.1.0`),
  '$JS.ACK.PACKS.another.1.1.1.1.0',
];

const SUBJECTS = [
  ...COMMAND_SUBJECTS,
  ...EVENT_SUBJECTS,
  ...JETSTREAM,
  ...PROCESSES.map(process => `${inboxPrefix(process)}.reply`),
  '_INBOX.reply',
  'wake.audit',
  'wake.other',
  'cmd.publisher.unknown',
  'pack.version.unknown',
  'mirror.unknown',
  '$SYS.REQ.SERVER.PING',
];

/** Everything a subscriber could listen in on, wildcards included. */
const LISTENING = [
  ...SUBJECTS,
  '>',
  'cmd.>',
  'cmd.*.publish-pack',
  'pack.>',
  'registry.>',
  '$JS.>',
  '$SYS.>',
  '_INBOX.>',
  ...PROCESSES.map(process => `${inboxPrefix(process)}.>`),
];

const commandsOf = (process: ProcessName): string[] => COMMAND_SUBJECTS.filter(subject => subject.startsWith(`cmd.${process}.`));
const inboxOf = (process: ProcessName): string => `${inboxPrefix(process)}.reply`;

const emittedBy = (process: ProcessName): string[] => EVENTS.filter(event => event.producer === process).map(event => event.type);

/** What an emitter needs of the stream. */
const STREAM = ['$JS.API.INFO', '$JS.API.STREAM.INFO.PACKS', '$JS.API.STREAM.CREATE.PACKS', '$JS.API.STREAM.UPDATE.PACKS'];

const consumingOf = (process: ProcessName): string[] =>
  (CONSUMERS[process] ?? []).flatMap(consumer => [
    ...['CREATE', 'DURABLE.CREATE', 'INFO', 'MSG.NEXT'].map(verb => `$JS.API.CONSUMER.${verb}.${consumer}`),
    `$JS.ACK.${consumer}.1.1.1.1.0`,
  ]);

/** Architecture §2: who sends what, and who hears it. Everything else is refused. */
const MAY_PUBLISH: Readonly<Record<ProcessName, readonly string[]>> = {
  'api-gateway': [
    ...commandsOf('publisher').filter(subject => subject !== 'cmd.publisher.import-kit'),
    'cmd.verifier.reverify-version',
    'cmd.verifier.verify-attestation',
    ...commandsOf('mirror-worker'),
    ...commandsOf('parity-worker'),
    ...commandsOf('compliance'),
  ],
  publisher: [
    // Its readers report damage like everybody's, and a manifest that is pushed again heals it.
    'cmd.publisher.quarantine-blob',
    'cmd.publisher.replace-blob',
    inboxOf('publisher'),
    inboxOf('verifier'),
    'cmd.verifier.verify-bundle',
    'cmd.verifier.reverify-version',
    'cmd.verifier.verify-attestation',
    inboxOf('api-gateway'),
    inboxOf('mirror-worker'),
    ...emittedBy('publisher'),
    ...STREAM,
  ],
  verifier: ['cmd.publisher.quarantine-blob', inboxOf('publisher'), inboxOf('api-gateway'), inboxOf('mirror-worker')],
  'mirror-worker': [
    'cmd.verifier.reverify-version',
    'cmd.verifier.verify-attestation',
    'cmd.publisher.import-kit',
    'cmd.publisher.publish-pack',
    'cmd.publisher.put-manifest',
    'cmd.publisher.quarantine-blob',
    'cmd.publisher.replace-blob',
    inboxOf('api-gateway'),
    ...emittedBy('mirror-worker'),
    ...STREAM,
    ...consumingOf('mirror-worker'),
  ],
  'parity-worker': [inboxOf('api-gateway'), ...emittedBy('parity-worker'), ...STREAM, ...consumingOf('parity-worker')],
  compliance: [inboxOf('api-gateway'), 'wake.audit', '$JS.API.INFO', '$JS.API.STREAM.INFO.PACKS', ...consumingOf('compliance')],
};
const MAY_SUBSCRIBE: Readonly<Record<ProcessName, readonly string[]>> = {
  'api-gateway': [inboxOf('api-gateway'), `${inboxPrefix('api-gateway')}.>`, 'wake.audit'],
  publisher: [...commandsOf('publisher'), inboxOf('publisher'), `${inboxPrefix('publisher')}.>`],
  verifier: [...commandsOf('verifier'), inboxOf('verifier'), `${inboxPrefix('verifier')}.>`],
  'mirror-worker': [...commandsOf('mirror-worker'), inboxOf('mirror-worker'), `${inboxPrefix('mirror-worker')}.>`],
  'parity-worker': [...commandsOf('parity-worker'), inboxOf('parity-worker'), `${inboxPrefix('parity-worker')}.>`],
  compliance: [...commandsOf('compliance'), inboxOf('compliance'), `${inboxPrefix('compliance')}.>`],
};

/** Subjects at which the server refused the operation; it says so before it answers the flush. */
async function refusedAt(connection: NatsConnection, operation: 'publish' | 'subscription', work: () => void): Promise<Set<string>> {
  const refused = new Set<string>();
  void (async () => {
    for await (const { type, permissionContext } of connection.status()) {
      if (type === Events.Error && permissionContext?.operation === operation) refused.add(permissionContext.subject);
    }
  })();
  work();
  await connection.flush();
  await connection.flush();
  await connection.close();
  return refused;
}

describe('the NATS user of', () => {
  let nats: TestNats;
  beforeAll(async () => {
    nats = await testNats();
  });
  afterAll(() => nats.stop());

  it.each(PROCESSES)('%s may publish what its process has to say, and nothing else', async process => {
    const connection = await openConnection(nats.loginOf(process));
    const refused = await refusedAt(connection, 'publish', () => SUBJECTS.forEach(subject => connection.publish(subject)));
    expect(SUBJECTS.filter(subject => !refused.has(subject)).toSorted()).toEqual(MAY_PUBLISH[process].toSorted());
  });

  it.each(PROCESSES)('%s may listen to what is meant for its process, and to nothing else', async process => {
    const connection = await openConnection(nats.loginOf(process));
    const refused = await refusedAt(connection, 'subscription', () =>
      LISTENING.forEach(subject => connection.subscribe(subject, { callback: () => undefined })),
    );
    expect(LISTENING.filter(subject => !refused.has(subject)).toSorted()).toEqual(MAY_SUBSCRIBE[process].toSorted());
  });

  it.each(PROCESSES)('%s is let in by its password only', async process => {
    await expect(openConnection({ ...nats.loginOf(process), password: 'wrong' })).rejects.toThrow(/authorization violation/i);
    await expect(connect({ servers: nats.url })).rejects.toThrow(/authorization violation/i);
  });

  it('every process has a row here and in the contracts', () => {
    expect(Object.keys(natsPermissions).toSorted()).toEqual(PROCESSES.toSorted());
    expect(Object.keys(MAY_PUBLISH).toSorted()).toEqual(PROCESSES.toSorted());
  });

  it('nobody is given a subject that a stream would answer in its place', () => {
    for (const subject of COMMAND_SUBJECTS) expect(subject).toMatch(/^cmd\./);
    for (const subject of EVENT_SUBJECTS) expect(subject).toMatch(/^(pack|mirror|parity|registry)\./);
  });
});
