// npm run gen: dependencies, build, then the generators; `-- --check` changes nothing.
import { build } from './build.mjs';
import { install } from './install.mjs';
import { fromRoot, runForeground, runScript } from './runtime.mjs';

await runScript(async args => {
  const node = await install();
  build(node);
  return runForeground(node, [fromRoot('dist', 'tools', 'generate', 'main.js'), ...args]);
});
