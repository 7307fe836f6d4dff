import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inheritedBy } from '../tools/stack/environment';
import { builtFile } from '../tools/stack/repository-root';

/** What every terminal has; Node keeps there what it compiled. */
export const PLAIN_ENVIRONMENT = inheritedBy('tool', { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE });

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Somebody at a terminal, with a home and a working folder of their own and nothing but the commands. */
export class CommandLine {
  readonly folder = mkdtempSync(join(tmpdir(), 'packs-e2e-home-'));
  /** Everything the commands have written, but what was asked to be shown in the open. */
  readonly written: string[] = [];

  constructor(private readonly env: Readonly<Record<string, string>> = {}) {}

  get config(): string {
    return join(this.folder, 'config', 'config.json');
  }

  stella(...args: readonly string[]): Promise<CommandResult> {
    return this.run('stella', args);
  }

  registry(...args: readonly string[]): Promise<CommandResult> {
    return this.run('registry', args);
  }

  /** The JSON that `stella … --output json` prints; any other end than a good one fails. */
  async json<T>(...args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.stella(...args, '--output', 'json');
    if (code !== 0) throw new Error(`stella ${args.join(' ')} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Output with a token in it is for the caller's eyes alone. */
  async unrecorded(...args: readonly string[]): Promise<CommandResult> {
    const result = await this.stella(...args);
    this.written.splice(this.written.indexOf(result.stdout), 1);
    return result;
  }

  private async run(program: 'stella' | 'registry', args: readonly string[]): Promise<CommandResult> {
    const child = spawn(process.execPath, [builtFile('tools', 'cli', program, 'main.js'), ...args], {
      cwd: this.folder,
      env: { ...PLAIN_ENVIRONMENT, HOME: this.folder, STELLA_CONFIG_DIR: join(this.folder, 'config'), ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', text => (said[name] += String(text)));
    const [code] = (await once(child, 'close')) as [number | null];
    this.written.push(said.stdout, said.stderr);
    return { code, ...said };
  }
}
