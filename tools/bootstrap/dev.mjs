// npm run dev: npm start with the compiler watching; the stack restarts a process when its code changed.
import { buildAndWatch } from './build.mjs';
import { install } from './install.mjs';
import { fromRoot, runScript, runStack } from './runtime.mjs';

await runScript(async args => {
  const node = await install();
  const compiler = await buildAndWatch(node);
  try {
    return await runStack(node, fromRoot('dist', 'tools', 'stack', 'main.js'), ['--watch', ...args]);
  } finally {
    compiler.removeAllListeners('exit');
    compiler.kill('SIGTERM');
  }
});
