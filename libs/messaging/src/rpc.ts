import { Catch, type ExceptionFilter, type PipeTransform } from '@nestjs/common';
import { MessagePattern, Payload, Transport, type MicroserviceOptions } from '@nestjs/microservices';
import type { CommandContract } from '@packs/contracts';
import { DomainError, type ErrorCode, type FieldFault } from '@packs/domain';
import type { Logger } from '@packs/observability';
import { throwError, type Observable } from 'rxjs';
import { connectionOptions, type NatsSettings } from './connection';
import { checkMessage } from './schema-check';

/** How long a process that stops waits for the answers it still owes. */
const DRAIN_MS = 2_000;

/** The Nest microservice that answers this process's commands; replicas share the work as one queue group. */
export function commandServer(settings: NatsSettings): MicroserviceOptions {
  const { servers, ...options } = connectionOptions(settings);
  return {
    transport: Transport.NATS,
    options: { ...options, servers: servers as string, queue: settings.process, gracefulShutdown: true, gracePeriod: DRAIN_MS },
  };
}

/** Marks the method that answers a command. */
export function AnswersCommand(contract: CommandContract): MethodDecorator {
  return MessagePattern(contract.subject);
}

/** The command's request, proven to follow the contract. */
export function CommandRequest(contract: CommandContract): ParameterDecorator {
  const pipe: PipeTransform = { transform: (value: unknown) => checkMessage(contract.request, value, contract.subject) };
  return Payload(pipe);
}

/** A refusal as it crosses the wire. */
export interface RpcError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly errors: readonly FieldFault[];
  readonly retry: 'never' | 'later';
}

/** Domain errors keep their content; anything else is logged here and leaves as ERR_PACK_INTERNAL. */
@Catch()
export class RpcErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown): Observable<never> {
    if (!(error instanceof DomainError)) this.logger.error({ err: error }, 'command failed unexpectedly');
    return throwError(() => toRpcError(error));
  }
}

function toRpcError(error: unknown): RpcError {
  if (!(error instanceof DomainError))
    return { code: 'ERR_PACK_INTERNAL', message: 'internal error', details: {}, errors: [], retry: 'never' };
  const { code, message, details, errors, retry } = error;
  return { code, message, details, errors, retry };
}
