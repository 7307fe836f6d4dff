// npm run bench: dependencies, build, then the bench, in the foreground.
import { build } from './build.mjs';
import { install } from './install.mjs';
import { fromRoot, runForeground, runScript } from './runtime.mjs';

await runScript(async args => {
  const node = await install();
  build(node);
  return runForeground(node, [fromRoot('dist', 'tools', 'bench', 'main.js'), ...args]);
});
