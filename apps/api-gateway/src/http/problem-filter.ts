import type { IncomingMessage } from 'node:http';
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { PROBLEMS } from '@packs/contracts';
import { DomainError, type ErrorCode } from '@packs/domain';
import type { Logger } from '@packs/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'ERR_PACK_AUTHENTICATION',
  403: 'ERR_PACK_SCOPE',
  404: 'ERR_PACK_NOT_FOUND',
  413: 'ERR_PACK_TOO_LARGE',
  416: 'ERR_PACK_RANGE',
  429: 'ERR_PACK_LIMIT',
};

/** How long the rest of a refused upload is read before its connection is cut. */
const LINGER_MS = 5_000;

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
        detail: error.code === 'ERR_PACK_INTERNAL' ? `internal error; the log names it ${request.id}` : error.message,
        instance: request.id,
        ...error.details,
        ...(error.errors.length > 0 && { errors: error.errors }),
      });
  }
}

/** An upload that was refused half-way: a connection closed while the client still sends would take the answer with it. */
function throwAwayRest(request: IncomingMessage): void {
  const cut = setTimeout(() => request.destroy(), LINGER_MS).unref();
  request.once('close', () => clearTimeout(cut)).resume();
}

function toDomainError(thrown: unknown): DomainError {
  if (thrown instanceof DomainError) return thrown;
  const status = thrown instanceof HttpException ? thrown.getStatus() : statusOf(thrown);
  if (status === 404) return new DomainError('ERR_PACK_NOT_FOUND', 'no such route');
  if (status >= 400 && status < 500) {
    return new DomainError(
      CODE_OF_STATUS[status] ?? 'ERR_PACK_REQUEST_INVALID',
      thrown instanceof Error ? thrown.message : 'the request is not valid',
    );
  }
  return new DomainError('ERR_PACK_INTERNAL', 'internal error', { cause: thrown });
}

/** Errors of the HTTP server itself carry their status. */
function statusOf(thrown: unknown): number {
  return typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown ? Number(thrown.statusCode) : 500;
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
