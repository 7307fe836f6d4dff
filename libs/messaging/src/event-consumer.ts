import { EnvelopeSchema, EVENT_STREAM, type ConsumerContract, type EventEnvelope } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import { eventsConsumed, inSpan, type Logger } from '@packs/observability';
import type { DeadLetters, DeadMessage } from '@packs/ports';
import { AckPolicy, DeliverPolicy, type Consumer, type ConsumerMessages, type JsMsg, type NatsConnection } from 'nats';
import { decideDelivery } from './delivery-decision';
import { checkMessage } from './schema-check';

export type EventHandler = (event: EventEnvelope) => Promise<void>;

/**
 * A message not settled by then is delivered again: its process died, or its ack was lost with the server. One that is still being
 * handled is delivered again too, and finds itself in the inbox.
 */
const ACK_WAIT_NANOS = 10 * 1_000_000_000;
const RETRY_MS = 500;

/**
 * A durable consumer of the event stream: one message at a time, in order, each ending in exactly one of ack, nak and term.
 * A message is acked after the handler's transaction has committed and set aside as a dead letter before it is termed.
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
  ) {}

  start(): void {
    this.loop ??= this.run();
  }

  /** @throws Error while the consumer is not attached to the stream */
  check(): void {
    if (!this.attached) throw new Error(`consumer ${this.contract.name} is not attached to stream ${EVENT_STREAM.name}`);
  }

  /** Finishes the message at hand and stops. */
  async drain(): Promise<void> {
    this.stopping = true;
    // Not awaited: it is settled by the iteration, which ends at the message at hand instead.
    void this.messages?.close();
    await this.loop;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        const consumer = await this.attach();
        this.messages = await consumer.consume({ max_messages: 64 });
        this.attached = true;
        for await (const message of this.messages) {
          await this.settle(message);
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
      max_ack_pending: 64,
    });
    return this.connection.jetstream().consumers.get(EVENT_STREAM.name, this.contract.name);
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
      await inSpan(`consume ${message.subject}`, 'consumer', () => this.handle(event), {
        traceparent: message.headers?.get('traceparent'),
      });
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
