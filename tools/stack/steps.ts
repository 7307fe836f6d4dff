import { StepError } from './step-error';

/** Takes a remark that ends up behind the step's title: a port, a version. */
export type Note = (text: string) => void;

/** Prints one line per step with its time; a failure names the step, the cause and the remedy. */
export class Steps {
  constructor(private readonly write: (text: string) => void) {}

  async run<T>(title: string, work: (note: Note) => Promise<T>): Promise<T> {
    const started = performance.now();
    const notes: string[] = [];
    // A slow step says that it is still at it, so that nobody takes it for dead.
    const still = setInterval(() => this.write(`  ... ${title}: still at it, ${seconds(started)}\n`), 5000);
    try {
      const result = await work(text => notes.push(text));
      this.write(`  ${title.padEnd(22)} ${seconds(started).padStart(7)}  ${notes.join(', ')}`.trimEnd() + '\n');
      return result;
    } catch (error) {
      throw failureOf(title, error);
    } finally {
      clearInterval(still);
    }
  }

  say(text: string): void {
    this.write(`${text}\n`);
  }
}

/** The failure as the user reads it. */
export function describeFailure(error: unknown): string {
  if (error instanceof FailedStep) return `Failed: ${error.step}\nCause:  ${error.message}\nRemedy: ${error.remedy}`;
  if (error instanceof StepError) return `Failed: ${error.message}\nRemedy: ${error.remedy}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

class FailedStep extends Error {
  constructor(
    readonly step: string,
    message: string,
    readonly remedy: string,
    cause: unknown,
  ) {
    super(message, { cause });
    this.name = 'FailedStep';
  }
}

function failureOf(step: string, error: unknown): FailedStep {
  if (error instanceof FailedStep) return error;
  const message = error instanceof Error ? error.message : String(error);
  const remedy =
    error instanceof StepError ? error.remedy : 'See the log files in the data directory; `npm start -- --fresh` starts with empty data.';
  return new FailedStep(step, message, remedy, error);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
