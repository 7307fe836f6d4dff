import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ReplayLine, ReplayRange } from '@packs/contracts';
import { DomainError } from '@packs/domain';
import type { CliContext } from '../../terminal/cli-context';

/** Runs the stored verdicts of a range again, and tells what came of it. */
export type ReplayProgram = (range: ReplayRange, env: CliContext['env']) => AsyncIterable<ReplayLine>;

/** Beside this command in dist/: the commands hold none of the registry's stores. */
const MAIN = join(__dirname, '..', '..', '..', '..', 'apps', 'verifier', 'src', 'replay-verdicts', 'main.js');
/** All that the program is told of its surroundings. */
const PASSED = ['AUDITOR_DATABASE_URL', 'BLOB_STORE', 'BLOB_STORE_ACCESS_KEY', 'BLOB_STORE_SECRET_KEY', 'PATH', 'NODE_EXTRA_CA_CERTS'];

/** The verifier's own program in a process of its own. When the terminal interrupts both, it says how far it came and this one hears it out. */
export const spawnReplay: ReplayProgram = async function* (range, env) {
  if (!existsSync(MAIN))
    throw new DomainError('ERR_PACK_NOT_FOUND', `the program that runs verdicts again is not built: there is no ${MAIN}`);
  const passed = Object.fromEntries(PASSED.flatMap(name => (env[name] === undefined ? [] : [[name, env[name]]])));
  const child = spawn(process.execPath, [MAIN, JSON.stringify(range)], { env: passed, stdio: ['ignore', 'pipe', 'inherit'] });
  const wait = (): void => undefined;
  process.on('SIGINT', wait);
  try {
    for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as ReplayLine;
  } finally {
    process.off('SIGINT', wait);
    child.kill('SIGTERM');
  }
};
