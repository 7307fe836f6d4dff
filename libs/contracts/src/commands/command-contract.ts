import type { TSchema } from '@sinclair/typebox';

/** A request one process answers for another over NATS. `subject` is `cmd.<process>.<use-case>` and never overlaps a stream. */
export interface CommandContract<Request extends TSchema = TSchema, Reply extends TSchema = TSchema> {
  readonly subject: string;
  /** How long the caller waits, in milliseconds. */
  readonly timeoutMs: number;
  readonly request: Request;
  readonly reply: Reply;
}

export function command<Request extends TSchema, Reply extends TSchema>(
  contract: CommandContract<Request, Reply>,
): CommandContract<Request, Reply> {
  return contract;
}

export type RequestOf<C extends CommandContract> = C['request']['static'];
export type ReplyOf<C extends CommandContract> = C['reply']['static'];

/** A message is refused by its sender above this size; larger things are stored first and named by digest. */
export const MESSAGE_MAX_BYTES = 64 * 1024;
