// npm test: dependencies, nats-server, build, jest; the last line is `N passed, N failed`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from './build.mjs';
import { install } from './install.mjs';
import { ROOT, childEnvironment, fromRoot, runForeground, runScript } from './runtime.mjs';

const JEST = fromRoot('node_modules', 'jest', 'bin', 'jest.js');
const REPORTER = fromRoot('tools', 'testing', 'counting-reporter.cjs');
// Two workers each: the whole-system tests wait a good part of their time, and each worker has a stack that no other changes.
const ROUNDS = [
  ['--selectProjects', 'unit', 'int', '--maxWorkers=2', '--testTimeout=30000'],
  ['--selectProjects', 'e2e', '--maxWorkers=2', '--testTimeout=60000'],
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
  const countsFile = path.join(scratch, 'counts.json');
  try {
    const all = [JEST, '--passWithNoTests', ...args, '--reporters=default', `--reporters=${REPORTER}`];
    const env = childEnvironment({ NODE_ENV: 'test', TEST_COUNTS_FILE: countsFile });
    const code = await runForeground(node, all, { cwd: ROOT, env, stdio: ['ignore', 2, 2] });
    return { code, counts: countsIn(countsFile) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A run that was ended before it was complete is a failure beside what it counted. */
function countsIn(file) {
  try {
    const { counts, complete } = JSON.parse(readFileSync(file, 'utf8'));
    return complete ? counts : { ...counts, failed: counts.failed + 1 };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
