import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { openDataDir } from '../stack/data-dir';
import { REPOSITORY_ROOT } from '../stack/repository-root';
import { startStack } from '../stack/stack';
import { StepError } from '../stack/step-error';
import { describeFailure } from '../stack/steps';
import { runConformance, SPEC_VERSIONS, type ConformanceResult } from './run-conformance';

const CLIENT = 'acme-publisher';
const NAMESPACE = 'acme';

async function main(): Promise<void> {
  const program = join(process.env.PEERS_DIR ?? join(homedir(), '.cache', 'packs-peers'), 'conformance');
  if (!existsSync(program)) throw new StepError(`There is no ${program}.`, 'Install Go 1.26 or newer and run npm run peers.');
  const folder = join(openDataDir(process.env.DATA_DIR ?? join(REPOSITORY_ROOT, '.data')), 'conformance');
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort());
  const stack = await startStack({ dataDir: join(folder, 'stack'), ports: 'auto', fresh: true, signal: ending.signal });
  try {
    for (const version of SPEC_VERSIONS) {
      const reports = join(folder, `results-${version}`);
      mkdirSync(reports, { recursive: true });
      const login = { url: stack.gatewayUrl, username: CLIENT, password: stack.secretOf(CLIENT), folder: reports };
      const repositories = [`${NAMESPACE}/conformance-${version}/one`, `${NAMESPACE}/conformance-${version}/two`] as const;
      const result = await runConformance(program, version, { ...login, repositories });
      print(result, reports);
      if (!result.passed) process.exitCode = 1;
    }
  } finally {
    await stack.destroy();
  }
}

function print({ version, passed, counts, troubles }: ConformanceResult, reports: string): void {
  const cases = Object.entries(counts).map(([name, count]) => `${count} ${name.toLowerCase()}`);
  console.log(`\ndistribution-spec ${version}: ${passed ? 'conforms' : 'does NOT conform'} (${cases.join(', ')})`);
  for (const trouble of troubles) console.log(`  ${trouble}`);
  console.log(`  every request and answer: ${join(reports, 'report.html')}`);
}

main().catch((error: unknown) => {
  console.error(`\n${describeFailure(error)}\n`);
  process.exitCode = 1;
});
