// npm start: dependencies, build, then the stack on Node 24.
import { build } from './build.mjs';
import { install } from './install.mjs';
import { fromRoot, runScript, runStack } from './runtime.mjs';

await runScript(async args => {
  const node = await install();
  build(node);
  return runStack(node, fromRoot('dist', 'tools', 'stack', 'main.js'), args);
});
