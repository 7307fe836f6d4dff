import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { NatsContext } from '@nestjs/microservices';
import { inSpan } from '@packs/observability';
import type { MsgHdrs } from 'nats';
import { from, lastValueFrom, type Observable } from 'rxjs';

/** Continues the caller's trace in the process that answers its command. */
export class RpcTraceInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (execution.getType() !== 'rpc') return next.handle();
    const message = execution.switchToRpc().getContext<NatsContext>();
    const carried = message.getHeaders() as MsgHdrs | undefined;
    const traceparent = carried?.get('traceparent') || null;
    return from(inSpan(message.getSubject(), 'server', () => lastValueFrom(next.handle()), { traceparent }));
  }
}
