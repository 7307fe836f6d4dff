// npm run conformance: dependencies, build, then the conformance program of distribution-spec against a registry of its own.
import { build } from './build.mjs';
import { install } from './install.mjs';
import { fromRoot, runForeground, runScript } from './runtime.mjs';

await runScript(async () => {
  const node = await install();
  build(node);
  return runForeground(node, [fromRoot('dist', 'tools', 'conformance', 'main.js')]);
});
