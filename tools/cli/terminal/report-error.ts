import type { Writable } from 'node:stream';
import { DomainError } from '@packs/domain';
import { CommanderError } from 'commander';
import { RegistryProblem, type ProblemFault } from '../client/registry-problem';
import { printable } from './output';

/** Says on one line what went wrong, and on further lines where. */
export function reportError(out: Writable, error: unknown): void {
  // commander has already written what it has to say.
  if (error instanceof CommanderError) return;
  if (error instanceof DomainError) return report(out, error.message, error.code, error.errors);
  if (error instanceof RegistryProblem) return report(out, error.message, error.code, error.faults);
  report(out, error instanceof Error ? error.message : String(error), undefined, []);
}

function report(out: Writable, message: string, code: string | undefined, faults: readonly ProblemFault[]): void {
  out.write(`error: ${printable(message)}${code ? ` [${printable(code)}]` : ''}\n`);
  for (const fault of faults) {
    const place = fault.pointer ?? fault.field;
    out.write(`  ${place ? `${printable(place)}: ` : ''}${printable(fault.message)}${fault.code ? ` [${printable(fault.code)}]` : ''}\n`);
  }
  if (code === 'ERR_PACK_AUTHENTICATION')
    out.write('  log in with: stella login --url <registry> --client-id <id> --client-secret-file <file>\n');
}
