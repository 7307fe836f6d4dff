import { readFile, rename, writeFile } from 'node:fs/promises';
import type { ReplayFinding, ReplayRange, VerdictPlace } from '@packs/contracts';
import { canonicalDigest, DomainError } from '@packs/domain';

type Filter = Pick<ReplayRange, 'tenant' | 'since'>;

/** How far a replay is and what it found: what is printed, and what another run goes on from. */
export interface ReplayState {
  readonly filter: Filter;
  readonly after: VerdictPlace | null;
  readonly examined: number;
  readonly findings: readonly ReplayFinding[];
  readonly complete: boolean;
}

export function begun(filter: Filter): ReplayState {
  return { filter, after: null, examined: 0, findings: [], complete: false };
}

/**
 * The state in a file; a fresh one where there is none, or where the run it tells of is at its end.
 * @throws DomainError ERR_PACK_REQUEST_INVALID when it is that of other verdicts
 */
export async function loadState(file: string, filter: Filter): Promise<ReplayState> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return begun(filter);
  const state = parse(text, file);
  if (state.complete) return begun(filter);
  if (canonicalDigest(state.filter) !== canonicalDigest(filter)) {
    throw new DomainError('ERR_PACK_REQUEST_INVALID', `${file} tells of a replay of other verdicts: ${JSON.stringify(state.filter)}`, {
      errors: [{ field: '--state', message: 'tells of a replay of other verdicts' }],
    });
  }
  return state;
}

/** Whole or not at all. */
export async function saveState(file: string, state: ReplayState): Promise<void> {
  await writeFile(`${file}.next`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  await rename(`${file}.next`, file);
}

function parse(text: string, file: string): ReplayState {
  try {
    const state = JSON.parse(text) as ReplayState;
    if (Array.isArray(state.findings) && Number.isInteger(state.examined)) return state;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new DomainError('ERR_PACK_REQUEST_INVALID', `${file} is not the state of a replay`, {
    errors: [{ field: '--state', message: 'is not the state of a replay' }],
  });
}
