import type { CommandContract, ReplyOf, RequestOf } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { CommandBus } from '@packs/ports';

type Answer = (request: never) => unknown;

/** Answers commands as a spec tells it to, and remembers what was asked. */
export class ScriptedCommandBus extends CommandBus {
  readonly sent: { readonly subject: string; readonly request: unknown }[] = [];
  private readonly answers = new Map<string, Answer>();

  answer<C extends CommandContract>(contract: C, answer: (request: RequestOf<C>) => ReplyOf<C> | Promise<ReplyOf<C>>): this {
    this.answers.set(contract.subject, answer);
    return this;
  }

  async send<C extends CommandContract>({ subject }: C, request: RequestOf<C>): Promise<ReplyOf<C>> {
    this.sent.push({ subject, request });
    const answer = this.answers.get(subject);
    if (!answer) throw new DomainError('ERR_PACK_UNAVAILABLE', `nobody answers ${subject}`, { retry: 'later' });
    return answer(request as never) as ReplyOf<C>;
  }
}
