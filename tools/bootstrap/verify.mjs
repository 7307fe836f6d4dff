// npm run verify: every check, cheapest first, then all tests. One failure does not hide the next.
import { install } from './install.mjs';
import { ROOT, childEnvironment, fromRoot, runForeground, runScript } from './runtime.mjs';

const packageFile = (...segments) => fromRoot('node_modules', ...segments);

const CHECKS = [
  ['format', packageFile('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.'],
  ['types', packageFile('typescript', 'bin', 'tsc'), '-p', 'tsconfig.json'],
  ['unused exports', packageFile('knip', 'bin', 'knip.js')],
  ['lint and boundaries', fromRoot('tools', 'checks', 'lint.mjs')],
  ['generated files', fromRoot('tools', 'bootstrap', 'gen.mjs'), '--check'],
  ['tests', fromRoot('tools', 'bootstrap', 'test.mjs')],
];

await runScript(async () => {
  const node = await install();
  const report = [];
  for (const [name, ...command] of CHECKS) {
    console.log(`== ${name}`);
    const started = performance.now();
    const code = await runForeground(node, command, { cwd: ROOT, env: childEnvironment() });
    report.push({ name, passed: code === 0, seconds: (performance.now() - started) / 1000 });
  }
  console.log('');
  for (const { name, passed, seconds } of report) console.log(`${passed ? 'passed' : 'FAILED'}  ${name} (${seconds.toFixed(1)} s)`);
  return report.every(({ passed }) => passed) ? 0 : 1;
});
