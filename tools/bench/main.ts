import { parseArgs } from 'node:util';
import { StepError } from '../stack/step-error';
import { describeFailure } from '../stack/steps';
import { ANSWER_HOPS, answerHops } from './floor-hops';
import { runPublish } from './scenarios/publish';

const USAGE = `npm run bench -- <scenario> [options]

Scenarios
  publish   signed publishes of 4 KiB and 1 MiB beside their floor and beside docker-registry's unsigned push

Options
  --rounds N      turns of each side, one after another (default 3)
  --count N       operations of a turn at 4 KiB (default 300); at 1 MiB a quarter of it
  --json FILE     writes all figures, of each round
  --profile DIR   afterwards publishes on without measuring and writes a CPU profile of each process
`;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

async function main(): Promise<void> {
  const [scenario, ...args] = process.argv.slice(2);
  if (scenario === ANSWER_HOPS) return answerHops();
  if (scenario === 'publish') return measurePublish(args);
  process.stdout.write(USAGE);
  if (scenario !== undefined && scenario !== '--help') process.exitCode = EXIT_USAGE;
}

async function measurePublish(args: string[]): Promise<void> {
  const options = { rounds: { type: 'string' }, count: { type: 'string' }, json: { type: 'string' }, profile: { type: 'string' } } as const;
  const { values } = parseArgs({ args, options });
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort());
  try {
    await runPublish({
      rounds: positive('--rounds', values.rounds ?? '3'),
      count: positive('--count', values.count ?? '300'),
      json: values.json,
      profile: values.profile,
      signal: ending.signal,
    });
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
