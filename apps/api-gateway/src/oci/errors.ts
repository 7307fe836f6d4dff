import { ociErrorOf } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { Logger } from '@packs/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { messageOf, throwAwayRest, toDomainError } from '../http/failures';
import { challenge, challengeError, notAuthenticated, type OciCaller } from './caller';

export interface ChallengeRealm {
  readonly service: string;
  /** Where the token service is, as this client reaches it. */
  realmOf(request: FastifyRequest): string;
}

/** Every failure as the error body of distribution-spec "Error Codes". What nobody foresaw shows the request's id and nothing else. */
export class OciErrors {
  constructor(
    private readonly door: ChallengeRealm,
    private readonly logger: Logger,
  ) {}

  /** The caller's token does not allow this; one with `scope` may. */
  denied({ tenant }: OciCaller, scope: string | undefined): DomainError {
    const refusal = notAuthenticated('the token does not allow this', tenant === null ? undefined : 'insufficient_scope');
    return withDetail(refusal, scope);
  }

  /** A refusal of the credentials, whose challenge then names what this request needs. */
  withScope(error: unknown, scope: string | undefined): unknown {
    return error instanceof DomainError && error.code === 'ERR_PACK_AUTHENTICATION' ? withDetail(error, scope) : error;
  }

  answer(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = toDomainError(thrown);
    const { status, code } = ociErrorOf(error.code);
    if (status >= 500) this.logger.error({ err: thrown, requestId: request.id, code: error.code }, 'request failed');
    if (reply.raw.headersSent) {
      // Too late for an answer: the client must not take what it has for the whole.
      reply.raw.destroy();
      return;
    }
    if (!request.raw.complete) throwAwayRest(request.raw);
    if (error.code === 'ERR_PACK_AUTHENTICATION') void reply.header('www-authenticate', this.challengeTo(request, error));
    if (error.retry === 'later') void reply.header('retry-after', '1');
    const { scope: _, error: __, ...details } = error.details;
    const message = messageOf(error, request.id);
    const detail = { code: error.code, ...details, ...(error.errors.length > 0 && { errors: error.errors }) };
    void reply
      .status(status)
      .header('content-type', 'application/json')
      .send(JSON.stringify({ errors: [{ code, message, detail }] }));
  }

  private challengeTo(request: FastifyRequest, error: DomainError): string {
    const { scope } = error.details;
    return challenge({
      realm: this.door.realmOf(request),
      service: this.door.service,
      ...(typeof scope === 'string' && { scope }),
      error: challengeError(error),
    });
  }
}

function withDetail({ code, message, details, cause }: DomainError, scope: string | undefined): DomainError {
  return new DomainError(code, message, { details: { ...details, scope }, cause });
}
