import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { PROBLEMS } from '@packs/contracts';
import type { DomainError } from '@packs/domain';
import type { Logger } from '@packs/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { messageOf, throwAwayRest, toDomainError } from './failures';

/** Every failure as problem+json (RFC 9457). What nobody foresaw shows the request's id and nothing else. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = toDomainError(thrown);
    const { status, title } = PROBLEMS[error.code];
    if (status >= 500) this.logger.error({ err: thrown, requestId: request.id, code: error.code }, 'request failed');
    if (reply.raw.headersSent) {
      // Too late for an answer: the client must not take what it has for the whole.
      reply.raw.destroy();
      return;
    }
    if (!request.raw.complete) throwAwayRest(request.raw);
    void reply
      .status(status)
      .headers(headersFor(error))
      .header('content-type', 'application/problem+json')
      .send({
        type: `urn:stellaops:packs-registry:error:${error.code}`,
        title,
        status,
        code: error.code,
        detail: messageOf(error, request.id),
        instance: request.id,
        ...error.details,
        ...(error.errors.length > 0 && { errors: error.errors }),
      });
  }
}

/** RFC 6750 §3: what kind of token would do. */
function headersFor(error: DomainError): Record<string, string> {
  if (error.code === 'ERR_PACK_AUTHENTICATION') return { 'www-authenticate': 'Bearer realm="packs-registry", error="invalid_token"' };
  if (error.code === 'ERR_PACK_SCOPE') {
    const scope = error.details['requiredScope'];
    return { 'www-authenticate': `Bearer realm="packs-registry", error="insufficient_scope"${scope ? `, scope="${String(scope)}"` : ''}` };
  }
  return error.retry === 'later' ? { 'retry-after': '1' } : {};
}
