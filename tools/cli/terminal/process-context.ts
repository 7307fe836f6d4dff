import type { CliContext } from './cli-context';

/** The context of the process itself. */
export function processContext(env: CliContext['env']): CliContext {
  const { stdout, stderr, stdin } = process;
  // The reader of a pipe may have seen enough.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  return { stdout, stderr, stdin, env, now: Date.now };
}
