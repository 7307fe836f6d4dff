import { parseArgs } from 'node:util';
import { StepError } from '../stack/step-error';
import { describeFailure } from '../stack/steps';
import { ANSWER_HOPS, answerHops } from './floor-hops';
import { MAKE_LOAD, makeLoads } from './oci/load-worker';
import { SUITES, type Suite } from './oci/plan';
import { runEvents } from './scenarios/events';
import { runMirror } from './scenarios/mirror';
import { runOci } from './scenarios/oci';
import { runPublish } from './scenarios/publish';
import { runVerify } from './scenarios/verify';

const USAGE = `npm run bench -- <scenario> [options]

Scenarios
  publish   signed publishes of 4 KiB and 1 MiB beside their floor and beside docker-registry's unsigned push
  mirror    publishes with and without a sync of a mirror under way, and what a sync costs
  events    how far audit log, coverage and mirror jobs lie behind a commit, and how fast a backlog of events is taken
  verify    verifications of each kind of signature beside bare @sigstore/verify, and of the same once more
  oci       pushes, pulls, manifests, lists and growth by the OCI API beside docker-registry, Distribution and zot

Options
  --rounds N      turns of each side, one after another (default 3)
  --count N       operations of a turn (default 300); of a publish at 1 MiB a quarter of it
  --json FILE     writes all figures, of each round
  --profile DIR   publish, oci: afterwards goes on without measuring and writes CPU profiles
  --versions N    mirror: versions of 4 KiB that are mirrored (default 1000)
  --backlog N     events: events of a backlog (default 10000)
  --only A,B      oci: some of ${SUITES.join(', ')}
  --full          oci: every size at 1, 8 and 32 clients, and repositories of 100,000 entries
`;
const COMMON = { rounds: { type: 'string' }, count: { type: 'string' }, json: { type: 'string' } } as const;
const SCENARIOS: ReadonlyMap<string, (args: string[]) => Promise<void>> = new Map([
  ['publish', measurePublish],
  ['mirror', measureMirror],
  ['events', measureEvents],
  ['verify', measureVerify],
  ['oci', measureOci],
]);
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

async function main(): Promise<void> {
  const [scenario, ...args] = process.argv.slice(2);
  if (scenario === ANSWER_HOPS) return answerHops();
  if (scenario === MAKE_LOAD) return makeLoads();
  const measure = scenario === undefined ? undefined : SCENARIOS.get(scenario);
  if (measure) return measure(args);
  process.stdout.write(USAGE);
  if (scenario !== undefined && scenario !== '--help') process.exitCode = EXIT_USAGE;
}

async function measurePublish(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { ...COMMON, profile: { type: 'string' } } });
  await untilInterrupted(signal => runPublish({ ...common(values, '300'), profile: values.profile, signal }));
}

async function measureMirror(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { ...COMMON, versions: { type: 'string' } } });
  const versions = positive('--versions', values.versions ?? '1000');
  await untilInterrupted(signal => runMirror({ ...common(values, '300'), versions, signal }));
}

async function measureEvents(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { ...COMMON, backlog: { type: 'string' } } });
  const backlog = positive('--backlog', values.backlog ?? '10000');
  await untilInterrupted(signal => runEvents({ ...common(values, '300'), backlog, signal }));
}

async function measureVerify(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: COMMON });
  await untilInterrupted(signal => runVerify({ ...common(values, '300'), signal }));
}

async function measureOci(args: string[]): Promise<void> {
  const { rounds, json } = COMMON;
  const options = { rounds, json, profile: { type: 'string' }, only: { type: 'string' }, full: { type: 'boolean' } } as const;
  const { values } = parseArgs({ args, options });
  const suites = values.only?.split(',').map(suiteNamed) ?? SUITES;
  await untilInterrupted(signal =>
    runOci({
      rounds: positive('--rounds', values.rounds ?? '3'),
      suites,
      full: values.full ?? false,
      json: values.json,
      profile: values.profile,
      signal,
    }),
  );
}

function suiteNamed(text: string): Suite {
  const found = SUITES.find(suite => suite === text);
  if (found) return found;
  throw new StepError(`--only ${text}: there is no such part.`, `Name some of ${SUITES.join(', ')}, joined by commas.`);
}

function common(values: { rounds?: string; count?: string; json?: string }, count: string) {
  return { rounds: positive('--rounds', values.rounds ?? '3'), count: positive('--count', values.count ?? count), json: values.json };
}

async function untilInterrupted(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort());
  try {
    await run(ending.signal);
  } catch (error) {
    if (!ending.signal.aborted) throw error;
    console.error('\nEnded before the last round; what was started has been stopped.');
    process.exitCode = EXIT_INTERRUPTED;
  }
}

function positive(name: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new StepError(`${name} ${text}: not a positive number.`, 'See npm run bench -- --help');
  return Number(text);
}

main().catch((error: unknown) => {
  const usage = String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
  console.error(usage ? `${(error as Error).message}\n\n${USAGE}` : `\n${describeFailure(error)}\n`);
  process.exitCode = usage ? EXIT_USAGE : 1;
});
