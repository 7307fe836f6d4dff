import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { NatsLine, type NatsAddress } from './nats-line';

/** The argument with which the bench runs itself as the process that answers. */
export const ANSWER_HOPS = 'answer-hops';
const SUBJECT = 'bench.hop';
const INBOX = 'bench.reply';
/** As large as the commands of a publish and their replies. */
const PAYLOAD = Buffer.alloc(1024, 'x');

/** Request and reply between two processes through the stack's own nats-server. */
export class HopFloor {
  private arrived: () => void = () => undefined;

  private constructor(
    private readonly line: NatsLine,
    private readonly responder: ChildProcess,
  ) {
    line.subscribe(INBOX, () => this.arrived());
  }

  static async open(address: NatsAddress): Promise<HopFloor> {
    const responder = fork(process.argv[1] ?? '', [ANSWER_HOPS], { stdio: 'inherit' });
    responder.send(address);
    await once(responder, 'message');
    return new HopFloor(await NatsLine.open(address), responder);
  }

  get serverVersion(): string {
    return this.line.version;
  }

  async twoHops(): Promise<void> {
    await this.hop();
    await this.hop();
  }

  /** A request and its reply: two deliveries. */
  hop(): Promise<void> {
    const answered = new Promise<void>(resolve => (this.arrived = resolve));
    this.line.publish(SUBJECT, PAYLOAD, INBOX);
    return answered;
  }

  close(): void {
    this.line.close();
    this.responder.kill();
  }
}

/** Sends every request back to where it came from, until the parent is gone. */
export async function answerHops(): Promise<void> {
  process.once('disconnect', () => process.exit(0));
  const [address] = (await once(process, 'message')) as [NatsAddress];
  const line = await NatsLine.open(address);
  line.subscribe(SUBJECT, (payload, replyTo) => replyTo && line.publish(replyTo, payload));
  await line.flush();
  process.send?.('ready');
}
