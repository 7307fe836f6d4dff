import { ClientNats, NatsRecordBuilder } from '@nestjs/microservices';
import { MESSAGE_MAX_BYTES, PROBLEMS, type CommandContract, type ReplyOf, type RequestOf } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { currentTraceparent, inSpan } from '@packs/observability';
import { CommandBus } from '@packs/ports';
import { headers } from 'nats';
import { lastValueFrom, merge, mergeMap, take, throwError, timeout, type Observable } from 'rxjs';
import { connectionOptions, type NatsSettings } from './connection';
import type { RpcError } from './rpc';
import { checkMessage } from './schema-check';

const REPEAT_AFTER_MS = 300;

export class NatsCommandBus extends CommandBus {
  private readonly client: ClientNats;

  constructor(settings: NatsSettings) {
    super();
    const { servers, ...options } = connectionOptions(settings);
    this.client = new ClientNats({ ...options, servers: servers as string });
  }

  async send<C extends CommandContract>(contract: C, request: RequestOf<C>, timeoutMs = contract.timeoutMs): Promise<ReplyOf<C>> {
    try {
      return await this.attempt(contract, request, timeoutMs);
    } catch (error) {
      if (!(error instanceof DomainError && error.code === 'ERR_PACK_UNAVAILABLE')) throw error;
      // The process may have died with the request in its hands; another replica, or itself restarted, takes it.
      await new Promise(resolve => setTimeout(resolve, REPEAT_AFTER_MS));
      return this.attempt(contract, request, timeoutMs);
    }
  }

  private attempt<C extends CommandContract>(contract: C, request: RequestOf<C>, timeoutMs: number): Promise<ReplyOf<C>> {
    return inSpan(contract.subject, 'client', async () => {
      const size = Buffer.byteLength(JSON.stringify(request));
      if (size > MESSAGE_MAX_BYTES)
        throw new DomainError('ERR_PACK_LIMIT', `the command has ${size} bytes; a message may have ${MESSAGE_MAX_BYTES}`);
      const traceparent = currentTraceparent();
      const carried = headers();
      if (traceparent) carried.set('traceparent', traceparent);
      const record = new NatsRecordBuilder(request).setHeaders(carried).build();
      try {
        const answer = merge(this.client.send<unknown>(contract.subject, record), this.lostConnection());
        const reply = await lastValueFrom(answer.pipe(take(1), timeout(timeoutMs)));
        return checkMessage(contract.reply, reply, `the reply to ${contract.subject}`) as ReplyOf<C>;
      } catch (error) {
        throw toDomainError(error, contract.subject);
      }
    });
  }

  /** Fails when the connection goes: the reply to what was sent before will not come. */
  private lostConnection(): Observable<never> {
    return this.client.status.pipe(mergeMap(status => (status === 'connected' ? [] : throwError(() => new Error(`NATS is ${status}`)))));
  }

  /** Resolves when connected. */
  async check(): Promise<void> {
    await this.client.connect();
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}

function toDomainError(error: unknown, subject: string): DomainError {
  if (error instanceof DomainError) return error;
  if (isRpcError(error))
    return new DomainError(error.code, error.message, { details: error.details, errors: error.errors, retry: error.retry });
  const process = subject.split('.')[1];
  return new DomainError('ERR_PACK_UNAVAILABLE', `${process} does not answer`, { retry: 'later', cause: error });
}

function isRpcError(error: unknown): error is RpcError {
  return typeof error === 'object' && error !== null && 'code' in error && 'retry' in error && String(error.code) in PROBLEMS;
}
