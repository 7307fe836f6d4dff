/** One part this process needs; `check` throws or rejects while it cannot be used. */
export interface ReadinessCheck {
  readonly name: string;
  check(): Promise<unknown> | void;
}

export interface CheckReport {
  readonly name: string;
  readonly status: 'up' | 'down';
  readonly detail?: string;
}

export interface ReadinessReport {
  readonly status: 'ready' | 'not-ready';
  readonly checks: readonly CheckReport[];
}

const CHECK_TIMEOUT_MS = 2_000;

/** Whether this process can do its work now. */
export class Readiness {
  private stopping = false;

  constructor(private readonly checks: readonly ReadinessCheck[]) {}

  /** From now on the process reports that it takes no new work. */
  stop(): void {
    this.stopping = true;
  }

  async report(): Promise<ReadinessReport> {
    const checks = await Promise.all(this.checks.map(run));
    if (this.stopping) checks.push({ name: 'process', status: 'down', detail: 'stopping' });
    return { status: checks.every(check => check.status === 'up') ? 'ready' : 'not-ready', checks };
  }
}

async function run({ name, check }: ReadinessCheck): Promise<CheckReport> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
    });
    await Promise.race([Promise.resolve().then(check), expired]);
    return { name, status: 'up' };
  } catch (error) {
    return { name, status: 'down', detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
