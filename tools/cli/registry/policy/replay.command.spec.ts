import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReplayFinding, ReplayLine, ReplayRange } from '@packs/contracts';
import { sha256 } from '@packs/domain';
import { Command } from 'commander';
import { adopt, prepare, runProgram } from '../../terminal/run-program';
import { Memory } from '../../testing/run-cli';
import { replayCommand } from './replay.command';

const [FIRST, SECOND] = [sha256('first'), sha256('second')];
const at = (hash: typeof FIRST) => ({ tenant: 'acme', hash });
const NAMED = { tenant: 'acme', packId: 'acme.hello', version: '1.0.0', bundle: sha256('bundle'), verdict: FIRST };
const DIFFERS: ReplayFinding = {
  ...{ ...NAMED, outcome: 'differs', found: SECOND, isFault: true },
  difference: { check: 'signature', was: 'signature pass ok', is: 'signature fail ERR_PACK_SIGNATURE_INVALID' },
};
const OLD: ReplayFinding = { ...NAMED, outcome: 'skipped', obstacle: 'no-question', reason: 'it is old', isFault: false };
const step = (hash: typeof FIRST, examined: number, ...findings: ReplayFinding[]): ReplayLine => ({
  kind: 'step',
  examined,
  findings,
  after: at(hash),
});
const END: ReplayLine = { kind: 'end', complete: true };

let folder: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'));
  state = join(folder, 'state.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The command with a program that says these lines, and what it was asked. */
async function replay(args: readonly string[], ...lines: readonly (ReplayLine | Error)[]) {
  const asked: ReplayRange[] = [];
  const [stdout, stderr] = [new Memory(), new Memory()];
  const context = { stdout, stderr, stdin: Readable.from([]), env: {}, now: Date.now };
  const said = async function* (range: ReplayRange) {
    asked.push(range);
    for (const line of lines) {
      if (line instanceof Error) throw line;
      yield line;
    }
  };
  const program = prepare(new Command('registry'), context);
  adopt(program, [replayCommand(context, said)]);
  const code = await runProgram(program, ['replay', ...args], context);
  return { code, stdout: stdout.text, stderr: stderr.text, asked };
}

describe('registry policy replay', () => {
  it('tells how many verdicts were found again, and shows how far it is', async () => {
    const run = await replay([], { kind: 'total', verdicts: 6 }, step(FIRST, 4), step(SECOND, 2), END);
    expect([run.code, run.stdout.replace(/ +/g, ' ')]).toEqual([0, 'examined: 6\nsame: 6\ndiffering: 0\nskipped: 0\ncomplete: true\n']);
    expect(run.stderr).toBe('replayed 4 of 6 verdicts\nreplayed 6 of 6 verdicts\n');
    expect(run.asked).toEqual([{ after: null }]);
  });

  it('names the version, the check and both hashes of what differs, and fails', async () => {
    const run = await replay([], { kind: 'total', verdicts: 2 }, step(SECOND, 2, DIFFERS), END);
    expect([run.code, run.stderr]).toEqual([6, expect.stringContaining('1 of 2 verdicts are not found again [ERR_PACK_CORRUPT]')]);
    for (const told of ['acme.hello', '1.0.0', 'signature', FIRST, SECOND, 'was signature pass ok; is signature fail']) {
      expect(run.stdout).toContain(told);
    }
  });

  it('names what nobody promised to find again, and does not fail for it', async () => {
    const run = await replay(['--output', 'json'], { kind: 'total', verdicts: 2 }, step(SECOND, 2, OLD), END);
    expect([run.code, JSON.parse(run.stdout)]).toEqual([
      0,
      { examined: 2, same: 1, differing: 0, skipped: 1, complete: true, after: at(SECOND), findings: [OLD] },
    ]);
  });

  it('counts all, and lists the first thousand, faults before others', async () => {
    const many = Array.from({ length: 1_500 }, () => OLD);
    const run = await replay(
      ['--output', 'json'],
      { kind: 'total', verdicts: 1_600 },
      step(FIRST, 1_599, ...many),
      step(SECOND, 1, DIFFERS),
      END,
    );
    const answer = JSON.parse(run.stdout) as { skipped: number; differing: number; findings: ReplayFinding[] };
    expect([run.code, answer.skipped, answer.differing, answer.findings.length, answer.findings[0]]).toEqual([6, 1_500, 1, 1_000, DIFFERS]);
    expect((await replay([], step(FIRST, 1_599, ...many), END)).stdout).toMatch(/and 500 more\n$/);
  });

  it('asks for the verdicts of a tenant, from a time on, and for so many', async () => {
    const run = await replay(
      ['--tenant', 'acme', '--since', '2026-01-31', '--limit', '2'],
      { kind: 'total', verdicts: 9 },
      step(FIRST, 2),
      { kind: 'end', complete: false },
    );
    expect([run.code, run.asked]).toEqual([0, [{ tenant: 'acme', since: '2026-01-31T00:00:00.000Z', after: null, limit: 2 }]]);
  });

  it('goes on from where a run was interrupted, with what that had found', async () => {
    const first = await replay(['--state', state], { kind: 'total', verdicts: 6 }, step(FIRST, 4, DIFFERS), {
      kind: 'end',
      complete: false,
    });
    expect([first.code, JSON.parse(readFileSync(state, 'utf8'))]).toMatchObject([6, { after: at(FIRST), examined: 4, complete: false }]);
    const second = await replay(['--state', state], { kind: 'total', verdicts: 2 }, step(SECOND, 2), END);
    expect(second.asked).toEqual([{ after: at(FIRST) }]);
    expect([second.code, second.stderr]).toEqual([6, expect.stringContaining('1 of 6 verdicts')]);
    expect(second.stderr).toContain('replayed 6 of 6');
    // It came to its end: another run begins anew.
    expect((await replay(['--state', state], { kind: 'total', verdicts: 6 }, step(SECOND, 6), END)).asked).toEqual([{ after: null }]);
  });

  it('says that it was interrupted, and how to go on', async () => {
    const interrupted = { kind: 'end', complete: false } as const;
    const run = await replay([], { kind: 'total', verdicts: 6 }, step(FIRST, 4), interrupted);
    expect([run.code, run.stderr]).toEqual([8, expect.stringContaining('interrupted after 4 verdicts: with --state <file>')]);
    expect((await replay(['--state', state], { kind: 'total', verdicts: 6 }, step(FIRST, 4), interrupted)).stderr).toContain(
      `--state ${state}`,
    );
  });

  it('does not take a program that broke off for one that is done', async () => {
    expect(await replay([], { kind: 'total', verdicts: 6 }, step(FIRST, 4))).toMatchObject({ code: 8, stdout: '' });
    const failed = await replay([], { kind: 'error', code: 'ERR_PACK_REQUEST_INVALID', message: 'BLOB_STORE is required' });
    expect([failed.code, failed.stderr]).toEqual([2, 'error: BLOB_STORE is required [ERR_PACK_REQUEST_INVALID]\n']);
  });

  it.each([
    [
      'the state of other verdicts',
      { filter: { tenant: 'globex' }, after: at(FIRST), examined: 1, faults: 0, findings: [], complete: false },
    ],
    ['no state at all', 'hello'],
  ])('does not go on from %s', async (_, content) => {
    writeFileSync(state, JSON.stringify(content));
    expect(await replay(['--state', state], END)).toMatchObject({ code: 2, asked: [] });
  });

  it.each([['--limit', '0'], ['--since', 'soon'], ['--what']])('does not take %j', async (...args) => {
    expect(await replay(args, END)).toMatchObject({ code: 2, asked: [] });
    expect(existsSync(state)).toBe(false);
  });
});
