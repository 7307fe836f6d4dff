import { readFile, rename, writeFile } from 'node:fs/promises';
import type { ReplayFinding, ReplayLine, ReplayRange, VerdictPlace } from '@packs/contracts';
import { canonicalDigest, DomainError } from '@packs/domain';

/** A registry of earlier days may have a million verdicts without a question. */
const MAX_FINDINGS = 1_000;

type Filter = Pick<ReplayRange, 'tenant' | 'since'>;

/** How far a replay is and what it found: what is printed, and what another run goes on from. */
export interface ReplayState {
  readonly filter: Filter;
  readonly after: VerdictPlace | null;
  readonly examined: number;
  readonly differing: number;
  readonly skipped: number;
  /** Of those, what the registry had promised that it does not happen. */
  readonly faults: number;
  /** The first of them, faults before others. */
  readonly findings: readonly ReplayFinding[];
  readonly complete: boolean;
}

export function begun(filter: Filter): ReplayState {
  return { filter, after: null, examined: 0, differing: 0, skipped: 0, faults: 0, findings: [], complete: false };
}

/** One step further. */
export function advanced(state: ReplayState, { examined, findings, after }: Extract<ReplayLine, { kind: 'step' }>): ReplayState {
  const counted = (of: (finding: ReplayFinding) => boolean): number => findings.filter(of).length;
  const all = [...state.findings, ...findings].toSorted((a, b) => Number(b.isFault) - Number(a.isFault));
  return {
    ...state,
    after,
    examined: state.examined + examined,
    differing: state.differing + counted(({ outcome }) => outcome !== 'skipped'),
    skipped: state.skipped + counted(({ outcome }) => outcome === 'skipped'),
    faults: state.faults + counted(({ isFault }) => isFault),
    findings: all.slice(0, MAX_FINDINGS),
  };
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
    if (Array.isArray(state.findings) && Number.isInteger(state.examined) && Number.isInteger(state.faults)) return state;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new DomainError('ERR_PACK_REQUEST_INVALID', `${file} is not the state of a replay`, {
    errors: [{ field: '--state', message: 'is not the state of a replay' }],
  });
}
