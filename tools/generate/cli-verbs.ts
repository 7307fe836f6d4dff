import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { registryProgram } from '../cli/registry/program';
import { stellaProgram } from '../cli/stella/program';
import { REPOSITORY_ROOT } from '../stack/repository-root';

export interface CliVerb {
  /** `stella pack push` */
  readonly verb: string;
  readonly file: string;
  readonly summary: string;
}

/** Every command of `stella` and `registry`, as commander knows it. */
export function cliVerbs(): CliVerb[] {
  const { stdout, stderr, stdin } = process;
  const context = { stdout, stderr, stdin, env: {}, now: Date.now };
  return [stellaProgram(context), registryProgram(context)].flatMap(program => leavesOf(program, [program.name()]));
}

function leavesOf(command: Command, path: readonly string[]): CliVerb[] {
  if (command.commands.length === 0) return [{ verb: path.join(' '), file: fileOf(path), summary: command.description() }];
  return command.commands.flatMap(child => leavesOf(child, [...path, child.name()]));
}

/** A command lies in the folder of its name, or with its siblings in the file of their parent. `stella registry` has those of `registry`. */
function fileOf(path: readonly string[]): string {
  const own = path[0] === 'stella' && path[1] === 'registry' ? path.slice(1) : path;
  const candidates = [own, own.slice(0, -1)].map(names => `tools/cli/${names.join('/')}/${names.at(-1)}.command.ts`);
  const file = candidates.find(candidate => existsSync(join(REPOSITORY_ROOT, candidate)));
  if (!file) throw new Error(`command "${path.join(' ')}" is in neither of ${candidates.join(', ')}`);
  return file;
}
