import { EnvelopeSchema, EVENT_STREAM, type ConsumerContract, type EventEnvelope } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { eventsConsumed, inSpan, type Logger } from '@packs/observability';
import type { DeadLetters, DeadMessage } from '@packs/ports';
import { AckPolicy, DeliverPolicy, type Consumer, type ConsumerMessages, type JsMsg, type NatsConnection } from 'nats';
import { arrivals } from './arrivals';
import { decideDelivery } from './delivery-decision';
import { checkMessage } from './schema-check';

export type EventHandler = (event: EventEnvelope) => Promise<void>;
/** When it fails, some may have had their effect; each is then handled by itself, and those find themselves in the inbox. */
export type EventsHandler = (events: readonly EventEnvelope[]) => Promise<void>;

/**
 * A message not settled by then is delivered again: its process died, or its ack was lost with the server. One that is still being
 * handled is delivered again too, and finds itself in the inbox.
 */
const ACK_WAIT_NANOS = 10 * 1_000_000_000;
const RETRY_MS = 500;
/** Messages on their way to a consumer that handles one at a time, and to one that handles many at once. */
const AHEAD = 64;
const AHEAD_TOGETHER = 256;

/**
 * A durable consumer of the event stream: messages in order, each ending in exactly one of ack, nak and term. A message is acked after
 * the handler's transaction has committed and set aside as a dead letter before it is termed. One message is handled at a time, or,
 * where there is a handler for that, all that wait at once.
 */
export class EventConsumer {
  private stopping = false;
  private loop: Promise<void> | undefined;
  private messages: ConsumerMessages | undefined;
  private attached = false;

  constructor(
    private readonly connection: NatsConnection,
    private readonly contract: ConsumerContract,
    private readonly handle: EventHandler,
    private readonly deadLetters: DeadLetters,
    private readonly logger: Logger,
    private readonly handleAll?: EventsHandler,
  ) {}

  start(): void {
    this.loop ??= this.run();
  }

  /** @throws Error while the consumer is not attached to the stream */
  check(): void {
    if (!this.attached) throw new Error(`consumer ${this.contract.name} is not attached to stream ${EVENT_STREAM.name}`);
  }

  /** Finishes what is at hand and stops. */
  async drain(): Promise<void> {
    this.stopping = true;
    // Not awaited: it is settled by the iteration, which ends after what is at hand instead.
    void this.messages?.close();
    await this.loop;
  }

  private get ahead(): number {
    return this.handleAll ? AHEAD_TOGETHER : AHEAD;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        const consumer = await this.attach();
        this.messages = await consumer.consume({ max_messages: this.ahead });
        this.attached = true;
        for await (const waiting of arrivals(this.messages)) {
          if (!(await this.settleTogether(waiting))) await this.settleEach(waiting);
          if (this.stopping) break;
        }
      } catch (error) {
        if (!this.stopping) this.logger.warn({ err: error, consumer: this.contract.name }, 'consumer lost the stream; attaching again');
      }
      this.attached = false;
      if (!this.stopping) await new Promise(resolve => setTimeout(resolve, RETRY_MS));
    }
  }

  private async attach(): Promise<Consumer> {
    const manager = await this.connection.jetstreamManager();
    await manager.consumers.add(EVENT_STREAM.name, {
      durable_name: this.contract.name,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: ACK_WAIT_NANOS,
      max_deliver: -1,
      max_ack_pending: this.ahead,
    });
    return this.connection.jetstream().consumers.get(EVENT_STREAM.name, this.contract.name);
  }

  /** @returns false when they have to be settled one by one */
  private async settleTogether(messages: readonly JsMsg[]): Promise<boolean> {
    const { handleAll } = this;
    if (!handleAll || messages.length < 2) return false;
    try {
      const events = messages.map(message => readEvent(message.data));
      let handling: Promise<void> | undefined;
      // Each trace goes on; what the handler does is shown in the first.
      await Promise.all(messages.map(message => inSpanOf(message, () => (handling ??= handleAll(events)))));
    } catch {
      // Whose fault it was shows when each is handled by itself.
      return false;
    }
    for (const message of messages) message.ack();
    eventsConsumed.inc({ consumer: this.contract.name, outcome: 'done' }, messages.length);
    return true;
  }

  private async settleEach(messages: readonly JsMsg[]): Promise<void> {
    for (const message of messages) {
      await this.settle(message);
      if (this.stopping) return;
    }
  }

  private async settle(message: JsMsg): Promise<void> {
    const error = await this.attempt(message);
    const decision = decideDelivery(error, message.info.redeliveryCount);
    switch (decision.kind) {
      case 'ack':
        message.ack();
        break;
      case 'retry':
        this.logger.warn({ err: error, consumer: this.contract.name, subject: message.subject }, 'event will be delivered again');
        message.nak(decision.delayMs);
        break;
      case 'dead':
        if (!(await this.setAside(message, decision.reason))) return message.nak(RETRY_MS);
        message.term();
    }
    eventsConsumed.inc({ consumer: this.contract.name, outcome: decision.kind === 'ack' ? 'done' : decision.kind });
  }

  private async attempt(message: JsMsg): Promise<unknown> {
    try {
      const event = readEvent(message.data);
      await inSpanOf(message, () => this.handle(event));
      return undefined;
    } catch (error) {
      return error ?? new Error('handler failed without an error');
    }
  }

  private async setAside(message: JsMsg, reason: string): Promise<boolean> {
    try {
      await this.deadLetters.add(deadMessage(this.contract.name, message, reason));
      this.logger.error({ consumer: this.contract.name, subject: message.subject, reason }, 'event set aside as a dead letter');
      return true;
    } catch (error) {
      this.logger.warn({ err: error }, 'dead letter could not be kept; the event will be delivered again');
      return false;
    }
  }
}

function inSpanOf(message: JsMsg, work: () => Promise<void>): Promise<void> {
  return inSpan(`consume ${message.subject}`, 'consumer', work, { traceparent: message.headers?.get('traceparent') });
}

/** @throws DomainError ERR_PACK_REQUEST_INVALID for bytes that are no event envelope */
export function readEvent(bytes: Uint8Array): EventEnvelope {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new DomainError('ERR_PACK_REQUEST_INVALID', 'the message is not JSON', { cause });
  }
  return checkMessage(EnvelopeSchema, parsed, 'the event') as EventEnvelope;
}

function deadMessage(consumer: string, message: JsMsg, reason: string): DeadMessage {
  const named = namesOf(message.data);
  return {
    consumer,
    subject: message.subject,
    ...named,
    payload: Buffer.from(message.data),
    reason,
    attempts: message.info.redeliveryCount,
  };
}

function namesOf(bytes: Uint8Array): { eventId: string | null; tenant: string | null } {
  try {
    const event = readEvent(bytes);
    return { eventId: event.id, tenant: event.data.tenant };
  } catch {
    return { eventId: null, tenant: null };
  }
}
