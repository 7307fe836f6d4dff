// What the `stella` and `registry` commands of the clone do: run the built command on Node 24.
import { existsSync } from 'node:fs';
import { build } from './build.mjs';
import { BootstrapError, findNode, fromRoot, runForeground, runScript } from './runtime.mjs';

export async function runCommand(name) {
  await runScript(async args => {
    const main = fromRoot('dist', 'tools', 'cli', name, 'main.js');
    if (!existsSync(fromRoot('node_modules', '@swc', 'cli'))) {
      throw new BootstrapError(`run ${name}`, 'the dependencies are not installed.', 'Run `npm start` (or `npm ci`) in the clone first.');
    }
    const node = findNode();
    if (!existsSync(main)) build(node);
    if (!existsSync(main)) {
      throw new BootstrapError(
        `run ${name}`,
        `there is no ${main} after a build.`,
        'This checkout does not contain the command; update it.',
      );
    }
    return runForeground(node, [main, ...args]);
  });
}
