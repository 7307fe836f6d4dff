import { CONSUMER_COMMANDS, EnvelopeSchema, newEvent, PackVersionRejected, PublishPack, UpdatePolicy } from '@packs/contracts';
import { DomainError, sha256 } from '@packs/domain';
import { readEvent } from './event-consumer';
import { checkMessage } from './schema-check';

function faultsOf(run: () => unknown): readonly (string | undefined)[] {
  try {
    run();
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    expect(error).toMatchObject({ code: 'ERR_PACK_REQUEST_INVALID', retry: 'never' });
    return error.errors.map(fault => fault.pointer);
  }
}

describe('checkMessage', () => {
  const request = { tenant: 'acme', after: null, limit: 10 };
  const faults = (message: unknown) =>
    faultsOf(() => checkMessage(CONSUMER_COMMANDS.compliance.listDeadLetters.request, message, 'the request'));

  it('gives back a message that follows its contract', () => {
    expect(checkMessage(CONSUMER_COMMANDS.compliance.listDeadLetters.request, request, 'the request')).toBe(request);
  });

  it.each([
    ['nothing', undefined, ['']],
    ['a text', 'acme', ['']],
    ['a member too few', { tenant: 'acme', limit: 10 }, ['']],
    ['a member too many', { ...request, admin: true }, ['']],
    ['a wrong type', { ...request, limit: '10' }, ['/limit']],
    ['a value out of range', { ...request, limit: 101 }, ['/limit']],
    ['a tenant that is no name', { ...request, tenant: "acme'--" }, ['/tenant']],
  ])('points at the fault of %s', (_, message, pointers) => {
    expect(faults(message)).toEqual(pointers);
  });

  it('points at every fault, deep ones too', () => {
    const blob = { digest: sha256('x'), size: 1, objectKey: 'x' };
    const publish = {
      ...{
        tenant: 'acme',
        actor: 'user:alice',
        source: null,
        packId: null,
        version: null,
        channel: 'Edge',
        manifestDigest: 'md5:0',
        idempotencyKey: '',
      },
      bundle: { ...blob, size: -1 },
      signatures: [{ ...blob, mediaType: 'application/json' }],
    };
    const pointers = faultsOf(() => checkMessage(PublishPack.request, publish, 'the request'));
    for (const pointer of ['/channel', '/manifestDigest', '/idempotencyKey', '/bundle/size', '/signatures/0/mediaType'])
      expect(pointers).toContain(pointer);
  });

  it('reports twenty faults at the most', () => {
    const rule = { anyOf: Array.from({ length: 32 }, () => 7) };
    const policy = { tenant: 'acme', actor: 'a', source: null, name: 'default', channel: null, packType: null, rule, unsigned: 'reject' };
    expect(faultsOf(() => checkMessage(UpdatePolicy.request, policy, 'the request'))).toHaveLength(20);
  });
});

describe('readEvent', () => {
  const event = newEvent(
    PackVersionRejected,
    {
      ...{ packId: null, version: null, actor: 'user:alice', tenant: 'acme', source: null, signatures: [], metadataHash: sha256('x') },
      ...{ digest: sha256('x'), channel: 'edge', verdictHash: sha256('v'), reasons: [] },
    },
    new Date('2026-01-17T08:00:00Z'),
  );
  const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));

  it('reads an envelope, and lets data have members it does not know', () => {
    expect(readEvent(bytesOf(event))).toEqual(event);
    expect(faultsOf(() => checkMessage(EnvelopeSchema, { ...event, data: { ...event.data, more: 1 } }, 'the event'))).toEqual([]);
  });

  it.each([
    ['no JSON', Buffer.from('{'), []],
    ['bytes that are no text', Buffer.from([0xff, 0xfe]), []],
    ['null', bytesOf(null), ['']],
    ['another version of the format', bytesOf({ ...event, specversion: '2.0' }), ['/specversion']],
    ['an id that is no event’s', bytesOf({ ...event, id: 'evt_1' }), ['/id']],
    ['no tenant', bytesOf({ ...event, data: { ...event.data, tenant: '' } }), ['/data/tenant']],
    ['a time that is none', bytesOf({ ...event, time: 'yesterday' }), ['/time']],
  ])('refuses %s', (_, bytes, pointers) => {
    expect(() => readEvent(bytes)).toThrow(DomainError);
    expect(faultsOf(() => readEvent(bytes))).toEqual(pointers);
  });
});
