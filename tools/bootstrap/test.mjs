// npm test: dependencies, nats-server, build, jest; the last line is `N passed, N failed`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from './build.mjs';
import { install } from './install.mjs';
import { ROOT, childEnvironment, fromRoot, runForeground, runScript } from './runtime.mjs';

const JEST = fromRoot('node_modules', 'jest', 'bin', 'jest.js');
// The whole-system tests start a stack each, so they run one after another; the others share two workers.
const ROUNDS = [
  ['--selectProjects', 'unit', 'int', '--maxWorkers=2', '--testTimeout=30000'],
  ['--selectProjects', 'e2e', '--runInBand', '--testTimeout=60000'],
];

await runScript(async args => {
  const node = await prepare();
  const ownProjects = args.some(arg => arg === '--selectProjects' || arg.startsWith('--selectProjects='));
  const total = { passed: 0, failed: 0, skipped: 0 };
  let failed = false;
  for (const round of ownProjects ? [['--runInBand']] : ROUNDS) {
    const { code, counts } = await jest(node, [...round, ...args]);
    for (const key of Object.keys(total)) total[key] += counts[key];
    failed ||= code !== 0;
  }
  if (total.passed + total.failed === 0) console.log('No test ran: no spec file matches what was asked for.');
  console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
  return failed || total.failed > 0 || total.passed === 0 ? 1 : 0;
});

async function prepare() {
  try {
    const node = await install();
    build(node);
    const code = await runForeground(node, [fromRoot('dist', 'tools', 'stack', 'ensure-nats-server.js')]);
    if (code !== 0) throw new Error('nats-server is needed by the tests; see above.');
    return node;
  } catch (error) {
    console.error(`\n${error.message}\n`);
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
}

async function jest(node, args) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'packs-jest-'));
  const report = path.join(scratch, 'report.json');
  try {
    const all = [JEST, '--passWithNoTests', ...args, '--json', `--outputFile=${report}`];
    const code = await runForeground(node, all, { cwd: ROOT, env: childEnvironment({ NODE_ENV: 'test' }), stdio: ['ignore', 2, 2] });
    return { code, counts: countsOf(report) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A spec file that could not be loaded has no tests of its own but is one failure; so is a run that left no report. */
function countsOf(report) {
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
      skipped: result.numPendingTests + result.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
