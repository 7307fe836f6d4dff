import { Controller, Module, type INestMicroservice } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { CONSUMER_COMMANDS, type ListDeadLettersReply, type ListDeadLettersRequest, type ReplayDeadLetterRequest } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { testNats, type TestNats } from '@packs/testing';
import { connect } from 'nats';
import { QUIET } from './messaging.fixture';
import { NatsCommandBus } from './nats-command-bus';
import { AnswersCommand, CommandRequest, commandServer, RpcErrorFilter } from './rpc';

const { listDeadLetters, replayDeadLetter } = CONSUMER_COMMANDS.compliance;
const asked: unknown[] = [];

@Controller()
class ComplianceHandlers {
  @AnswersCommand(listDeadLetters)
  list(@CommandRequest(listDeadLetters) request: ListDeadLettersRequest): Promise<ListDeadLettersReply> {
    asked.push(request);
    // The first to take it dies with it in hand.
    if (request.tenant === 'unlucky' && asked.length === 1) return new Promise(() => undefined);
    return Promise.resolve({ deadLetters: [], next: `${request.tenant} ${request.limit}` });
  }

  @AnswersCommand(replayDeadLetter)
  replay(@CommandRequest(replayDeadLetter) request: ReplayDeadLetterRequest): Promise<never> {
    switch (request.id) {
      case 'refused':
        throw new DomainError('ERR_PACK_NOT_FOUND', 'no such letter', {
          details: { id: request.id },
          errors: [{ field: 'id', message: 'is not known' }],
        });
      case 'later':
        throw new DomainError('ERR_PACK_UNAVAILABLE', 'the database is not available', {
          retry: 'later',
          cause: new Error('password=hunter2'),
        });
      case 'unforeseen':
        throw new TypeError('postgresql://packs:hunter2@db is undefined');
      default:
        return Promise.resolve({ wrong: 'shape' } as never);
    }
  }
}

@Module({ controllers: [ComplianceHandlers], providers: [{ provide: APP_FILTER, useValue: new RpcErrorFilter(QUIET) }] })
class ComplianceModule {}

describe('NatsCommandBus', () => {
  let nats: TestNats;
  let server: INestMicroservice;
  let bus: NatsCommandBus;
  beforeAll(async () => {
    nats = await testNats();
    server = await NestFactory.createMicroservice(ComplianceModule, { ...commandServer(nats.loginOf('compliance')), logger: false });
    await server.listen();
    bus = new NatsCommandBus(nats.loginOf('api-gateway'));
    await bus.check();
  });
  afterAll(async () => {
    await bus.close();
    await server.close();
    await nats.stop();
  });
  beforeEach(() => void asked.splice(0));
  const replay = (id: string) => bus.send(replayDeadLetter, { tenant: 'acme', id });

  it('carries a request there and its reply back', async () => {
    const request = { tenant: 'acme', after: null, limit: 7 };
    expect(await bus.send(listDeadLetters, request)).toEqual({ deadLetters: [], next: 'acme 7' });
    expect(asked).toEqual([request]);
  });

  it('keeps replies to many requests at once apart', async () => {
    const limits = Array.from({ length: 100 }, (_, at) => at + 1);
    const replies = await Promise.all(limits.map(limit => bus.send(listDeadLetters, { tenant: 'acme', after: null, limit })));
    expect(replies.map(reply => reply.next)).toEqual(limits.map(limit => `acme ${limit}`));
  });

  it('carries a refusal whole', async () => {
    const refusal = await replay('refused').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DomainError);
    expect(refusal).toMatchObject({
      code: 'ERR_PACK_NOT_FOUND',
      message: 'no such letter',
      details: { id: 'refused' },
      errors: [{ field: 'id', message: 'is not known' }],
      retry: 'never',
    });
  });

  it('carries whether to try again, and not the cause', async () => {
    const refusal = await replay('later').catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'ERR_PACK_UNAVAILABLE', retry: 'later', cause: undefined });
  });

  it('says nothing of an error nobody foresaw', async () => {
    const refusal = await replay('unforeseen').catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'ERR_PACK_INTERNAL', message: 'internal error', details: {}, errors: [], retry: 'never' });
  });

  it('refuses a request that breaks its contract, at the one who answers, with pointers', async () => {
    const broken = { tenant: 'Acme', after: null, limit: 0, more: true };
    await expect(bus.send(listDeadLetters, broken)).rejects.toMatchObject({
      code: 'ERR_PACK_REQUEST_INVALID',
      errors: expect.arrayContaining([
        { pointer: '/tenant', message: expect.any(String) as string },
        { pointer: '/limit', message: expect.any(String) as string },
      ]) as unknown,
    });
    expect(asked).toEqual([]);
  });

  it('refuses a reply that breaks its contract', async () => {
    await expect(replay('wrong shape')).rejects.toMatchObject({
      code: 'ERR_PACK_REQUEST_INVALID',
      message: expect.stringContaining('reply') as string,
    });
  });

  it('refuses a request of more than 64 KiB before it is sent', async () => {
    const sending = bus.send(listDeadLetters, { tenant: 'acme', after: 'x'.repeat(64 * 1024), limit: 1 });
    await expect(sending).rejects.toMatchObject({ code: 'ERR_PACK_LIMIT' });
    expect(asked).toEqual([]);
    const { next } = await bus.send(listDeadLetters, { tenant: 'acme', after: 'x'.repeat(64 * 1024 - 100), limit: 1 });
    expect(next).toBe('acme 1');
  });

  it('reports at once that nobody answers', async () => {
    const started = performance.now();
    const unanswered = { ...listDeadLetters, subject: 'cmd.publisher.publish-pack' };
    await expect(bus.send(unanswered, { tenant: 'acme', after: null, limit: 1 })).rejects.toMatchObject({
      code: 'ERR_PACK_UNAVAILABLE',
      message: 'publisher does not answer',
      retry: 'later',
    });
    expect(performance.now() - started).toBeLessThan(listDeadLetters.timeoutMs / 2);
  });

  it('gives up on an answer that does not come in time', async () => {
    const listener = await connect(nats.admin);
    listener.subscribe('cmd.verifier.reverify-version');
    await listener.flush();
    const unanswered = { ...listDeadLetters, timeoutMs: 50, subject: 'cmd.verifier.reverify-version' };
    await expect(bus.send(unanswered, { tenant: 'acme', after: null, limit: 1 })).rejects.toMatchObject({
      code: 'ERR_PACK_UNAVAILABLE',
      retry: 'later',
    });
    await listener.close();
  });

  it('asks once more when the one who took the request fell silent', async () => {
    const request = { tenant: 'unlucky', after: null, limit: 1 };
    expect(await bus.send(listDeadLetters, request, 200)).toMatchObject({ next: 'unlucky 1' });
    expect(asked).toEqual([request, request]);
  });

  it('does not ask again after a refusal', async () => {
    await replay('refused').catch(() => undefined);
    await expect(bus.send(listDeadLetters, { tenant: 'Not a name', after: null, limit: 1 })).rejects.toMatchObject({ retry: 'never' });
    expect(asked).toEqual([]);
  });

  it('is shared by the replicas of a process: each request is answered by one', async () => {
    const replica = await NestFactory.createMicroservice(ComplianceModule, { ...commandServer(nats.loginOf('compliance')), logger: false });
    await replica.listen();
    await Promise.all(Array.from({ length: 40 }, (_, at) => bus.send(listDeadLetters, { tenant: 'acme', after: null, limit: at + 1 })));
    expect(asked).toHaveLength(40);
    await replica.close();
  });
});
