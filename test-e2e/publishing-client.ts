import { setTimeout as delay } from 'node:timers/promises';
import type { PublishAnswer } from '@packs/contracts';
import type { Caller } from './caller';
import { aBundle, aManifest, type Bundle } from './pack-bundle';
import type { SignatureDocument, SigningKey } from './signing-key';

/** What the client itself saw of one publish: the only witness its checker believes. */
export interface LoggedPublish {
  readonly bundle: Bundle;
  /** Made once: a request that is repeated is the same request. */
  readonly signature: SignatureDocument;
  readonly idempotencyKey: string;
  /** Each answer, or the failure of the connection. */
  readonly answers: string[];
  /** The answer that said published. */
  acknowledged?: PublishAnswer;
}

const RETRY_MS = 100;
const REQUEST_MS = 30_000;
/** Answers a client has to expect while a process is down: nothing that was asked for is known to have happened or not. */
const LATER = /^(503 ERR_PACK_UNAVAILABLE|connection: .*)$/;

/** Clients that publish one version after another, each until it is acknowledged or, now and then, until they lose patience. */
export class PublishingClient {
  readonly log: LoggedPublish[] = [];
  private running = false;
  private workers: Promise<void>[] = [];
  inFlight = 0;

  constructor(
    private readonly caller: Caller,
    private readonly key: SigningKey,
    private readonly random: () => number,
  ) {}

  get acknowledged(): readonly LoggedPublish[] {
    return this.log.filter(entry => entry.acknowledged);
  }

  start(workers: number): void {
    this.running = true;
    this.workers = Array.from({ length: workers }, () => this.work());
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.workers);
  }

  private async work(): Promise<void> {
    while (this.running) {
      const entry = this.next();
      // Every fifth is not retried: whether it was published is for the checker to find out.
      const patient = this.random() > 0.2;
      do await this.attempt(entry);
      while (!entry.acknowledged && patient && this.running && (await delay(RETRY_MS, true)));
    }
  }

  private next(): LoggedPublish {
    const number = this.log.length;
    const manifest = aManifest(`pack-${number % 5}`, `1.${number}.0`);
    const size = Math.floor(this.random() ** 4 * 200_000);
    const filler = Buffer.alloc(size, `${number}-`);
    const bundle = aBundle(manifest, [{ path: 'filler', content: filler }]);
    const entry = { bundle, signature: this.key.sigstore(bundle.bytes), idempotencyKey: `publish-${number}`, answers: [] };
    this.log.push(entry);
    return entry;
  }

  /** One request. What is neither an acknowledgement nor a call for patience is a fault of the registry. */
  async attempt(entry: LoggedPublish): Promise<void> {
    const { bundle, signature, idempotencyKey, answers } = entry;
    this.inFlight += 1;
    try {
      const { status, body } = await this.caller.publish(bundle, {
        signatures: [signature],
        headers: { 'idempotency-key': idempotencyKey },
        signal: AbortSignal.timeout(REQUEST_MS),
      });
      answers.push(status < 300 ? String(status) : `${status} ${body.code}`);
      if (status === 201 || status === 200) entry.acknowledged = body;
    } catch (error) {
      answers.push(`connection: ${reasonOf(error)}`);
    } finally {
      this.inFlight -= 1;
    }
  }

  /** Answers no client should ever get. */
  get unexpected(): readonly string[] {
    const fine = (answer: string) => answer === '201' || LATER.test(answer);
    return this.log.flatMap(({ idempotencyKey, answers }) =>
      answers.filter(answer => !fine(answer)).map(answer => `${idempotencyKey}: ${answer}`),
    );
  }
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string };
  return cause?.code ?? cause?.message ?? message;
}

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
