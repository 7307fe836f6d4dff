import { parseArgs } from 'node:util';
import { describeFailure } from '../stack/steps';
import { ANSWER_HOPS, answerHops } from './floor-hops';
import { runPublish, type PublishOptions } from './scenarios/publish';

const USAGE = `npm run bench -- <scenario> [options]

Scenarios
  publish   signed publishes of 4 KiB and 1 MiB beside their floor and beside docker-registry's unsigned push

Options
  --rounds N      turns of each side, one after another (default 3)
  --count N       operations of a turn at 4 KiB (default 300); at 1 MiB a quarter of it
  --json FILE     writes all figures, of each round
  --profile DIR   afterwards publishes on without measuring and writes a CPU profile of each process
`;

async function main(): Promise<void> {
  const [scenario, ...args] = process.argv.slice(2);
  if (scenario === ANSWER_HOPS) return answerHops();
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      count: { type: 'string', default: '300' },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || scenario !== 'publish') {
    process.stdout.write(USAGE);
    process.exitCode = values.help || scenario === undefined || scenario === '--help' ? 0 : 2;
    return;
  }
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort(new Error(`ended by ${signal}`)));
  const options: PublishOptions = {
    rounds: positive('--rounds', values.rounds),
    count: positive('--count', values.count),
    json: values.json,
    profile: values.profile,
    signal: ending.signal,
  };
  await runPublish(options);
}

function positive(name: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`${name} must be a positive number, not ${text}`);
  return Number(text);
}

main().catch((error: unknown) => {
  console.error(`\n${describeFailure(error)}\n`);
  process.exitCode = 1;
});
