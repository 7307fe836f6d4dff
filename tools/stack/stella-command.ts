import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, relative } from 'node:path';
import { clientSecretFile } from '../authority/clients';
import { inheritedBy } from './environment';
import { builtFile } from './repository-root';
import type { Stack } from './stack';
import { StepError } from './step-error';

/** Runs `stella` as a user at the prompt would, and prints each command as it can be repeated. */
export class StellaCommand {
  constructor(
    private readonly stack: Stack,
    private readonly clientId: string,
    private readonly say: (text: string) => void,
    /** Ends a command that is under way. */
    private readonly signal?: AbortSignal,
  ) {}

  async login(): Promise<void> {
    await this.run('login', ...loginArguments(this.stack, this.clientId));
  }

  /** What it printed. */
  async run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(...args);
    if (code === 0) return stdout;
    throw new StepError(
      `stella ${args.slice(0, 2).join(' ')} ended with code ${code}: ${`${stdout}${stderr}`.trim()}`,
      'Read the logs in the data directory.',
    );
  }

  /** Whatever becomes of it. */
  async try(...args: string[]): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
    this.say(`  $ npx stella ${args.map(shown).join(' ')}`);
    const child = spawn(process.execPath, [builtFile('tools', 'cli', 'stella', 'main.js'), ...args], {
      env: { ...inheritedBy('tool', process.env), HOME: process.env.HOME ?? '', STELLA_CONFIG_DIR: join(this.stack.dataDir, 'stella') },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: this.signal,
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', text => (said[name] += String(text)));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...said };
  }
}

export function loginArguments(stack: Stack, clientId: string): string[] {
  const secretFile = clientSecretFile(join(stack.dataDir, 'authority'), clientId);
  return ['--url', stack.gatewayUrl, '--issuer', stack.authorityUrl, '--client-id', clientId, '--client-secret-file', shown(secretFile)];
}

/** A path below the working directory as a user would type it; anything the shell would split is quoted. */
export function shown(text: string): string {
  return quoted(text.startsWith('/') && !relative(process.cwd(), text).startsWith('..') ? relative(process.cwd(), text) : text);
}

export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
