// npm run lint: eslint with the import boundaries, then the proof that its rules still bite.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const packageFile = (...segments) => path.join(ROOT, 'node_modules', ...segments);

function run(script, args, options) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  return status === 0;
}

// The boundary rule reads the project graph that nx last wrote, and silently checks nothing when there is none.
const graph = run(packageFile('nx', 'dist', 'bin', 'nx.js'), ['show', 'projects'], {
  env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' },
  stdio: ['ignore', 'ignore', 'inherit'],
});
const clean = graph && run(packageFile('eslint', 'bin', 'eslint.js'), ['--max-warnings', '0', ...process.argv.slice(2), '.']);
const bites = graph && run(path.join(ROOT, 'tools', 'checks', 'lint-must-fail.mjs'), []);
process.exitCode = clean && bites ? 0 : 1;
