import type { IncomingMessage } from 'node:http';
import type { RepositoryName } from '@packs/domain';
import type { RepositoryView } from '@packs/ports';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OciAction, OciCaller } from './caller';

/** One request of a caller who may do what the operation does. */
export interface OciCall {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly caller: OciCaller;
}

export interface RepositoryCall extends OciCall {
  readonly name: RepositoryName;
  /** The repository as the caller sees it. */
  readonly view: RepositoryView;
  /** A tag, a digest or the id of an upload, as the client wrote it; '' where the endpoint names none. */
  readonly reference: string;
}

/** One verb of one endpoint. Refusals are thrown as DomainError and answered in one place. */
export interface RepositoryOperation {
  readonly action: OciAction;
  /**
   * Whether so little comes with a request that nobody has to ask for the seal before it is taken: whoever makes the change asks for it, and holds it.
   */
  readonly sendsLittle?: (request: IncomingMessage) => boolean;
  handle(call: RepositoryCall): Promise<unknown>;
}
