import { ociErrorOf } from '@packs/contracts';
import { DomainError, type ErrorCode } from '@packs/domain';
import type { Logger } from '@packs/observability';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messageOf, toDomainError } from '../../http/failures';
import type { IssueToken, TokenAsker } from './issue-token';
import { publicUrl, TOKEN_PATH } from './public-url';
import { readForm, readQuery, type TokenQuestion } from './token-request';

const FORM = 'application/x-www-form-urlencoded';
const FORM_MAX_BYTES = 64 * 1024;

/** RFC 6749 §5.2 and §4.1.2.1, for refusals that name no other error. */
const OAUTH: Partial<Record<ErrorCode, string>> = {
  ERR_PACK_AUTHENTICATION: 'invalid_client',
  ERR_PACK_SCOPE: 'unauthorized_client',
  ERR_PACK_LIMIT: 'temporarily_unavailable',
  ERR_PACK_UNAVAILABLE: 'temporarily_unavailable',
  ERR_PACK_INTERNAL: 'server_error',
};

export interface TokenParts {
  readonly issueToken: IssueToken;
  readonly logger: Logger;
  /** As `publicUrl` takes it. */
  readonly configuredUrl: string | undefined;
}

/** `GET` and `POST /token`: who asks with credentials of the Authority gets a token for /v2. It changes nothing, so a sealed registry has it too. */
export async function tokenRoutes(server: FastifyInstance, { issueToken, logger, configuredUrl }: TokenParts): Promise<void> {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(FORM, { parseAs: 'string', bodyLimit: FORM_MAX_BYTES }, (_request, body, done) =>
    done(null, new URLSearchParams(String(body))),
  );
  server.setErrorHandler((error, request, reply) => refuse(error, request, reply, { logger, configuredUrl }));
  const answer = async (request: FastifyRequest, reply: FastifyReply, question: TokenQuestion): Promise<unknown> => {
    const made = await issueToken.execute(question, askerOf(request, configuredUrl));
    // RFC 6749 §5.1.
    return reply.header('cache-control', 'no-store').send(made);
  };
  server.get(TOKEN_PATH, (request, reply) => answer(request, reply, readQuery(queryOf(request), request.headers.authorization)));
  server.post(TOKEN_PATH, (request, reply) => {
    if (!(request.body instanceof URLSearchParams)) throw new DomainError('ERR_PACK_REQUEST_INVALID', `the body has to be ${FORM}`);
    return answer(request, reply, readForm(request.body, request.headers.authorization));
  });
}

function queryOf({ url }: FastifyRequest): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
}

function askerOf(request: FastifyRequest, configuredUrl: string | undefined): TokenAsker {
  const proof = request.headers['dpop'];
  const url = `${publicUrl(request, configuredUrl)}${TOKEN_PATH}`;
  return { address: request.ip, ...(proof !== undefined && { proof: { text: String(proof), method: request.method, url } }) };
}

/** In the words of OAuth and of distribution-spec at once: clients read either. */
function refuse(thrown: unknown, request: FastifyRequest, reply: FastifyReply, at: Pick<TokenParts, 'logger' | 'configuredUrl'>): void {
  const error = toDomainError(thrown);
  const { status, code } = ociErrorOf(error.code);
  if (status >= 500) at.logger.error({ err: thrown, requestId: request.id, code: error.code }, 'token request failed');
  const message = messageOf(error, request.id);
  const { oauth = OAUTH[error.code] ?? 'invalid_request' } = error.details;
  if (status === 401) void reply.header('www-authenticate', `Basic realm="${publicUrl(request, at.configuredUrl)}${TOKEN_PATH}"`);
  if (error.retry === 'later') void reply.header('retry-after', error.code === 'ERR_PACK_LIMIT' ? '60' : '1');
  void reply
    .status(status)
    .header('cache-control', 'no-store')
    .send({
      error: oauth,
      error_description: message,
      errors: [{ code: status === 400 ? 'UNSUPPORTED' : code, message, ...(error.errors.length > 0 && { detail: error.errors }) }],
    });
}
