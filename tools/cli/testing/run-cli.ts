import { Readable, Writable } from 'node:stream';
import { registryProgram } from '../registry/program';
import { stellaProgram } from '../stella/program';
import type { CliContext } from '../terminal/cli-context';
import { runProgram } from '../terminal/run-program';

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly env?: CliContext['env'];
  readonly stdin?: string;
  readonly now?: () => number;
}

/** Runs one command line in this process. */
export async function runStella(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return run(stellaProgram, args, options);
}

export async function runRegistry(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return run(registryProgram, args, options);
}

async function run(
  program: typeof stellaProgram,
  args: readonly string[],
  { env = {}, stdin = '', now = Date.now }: RunOptions,
): Promise<Run> {
  const [stdout, stderr] = [new Memory(), new Memory()];
  const context: CliContext = { stdout, stderr, stdin: Readable.from([Buffer.from(stdin)]), env, now };
  const code = await runProgram(program(context), args, context);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

export class Memory extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
