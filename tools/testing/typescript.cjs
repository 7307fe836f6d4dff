// Lets plain Node load this repository's TypeScript: `node --require tools/testing/typescript.cjs some.ts`.
const { readFileSync } = require('node:fs');
const { registerHooks } = require('node:module');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { transformSync } = require('@swc/core');

const ROOT = path.resolve(__dirname, '..', '..');

registerHooks({
  resolve(specifier, context, next) {
    const lib = /^@packs\/([a-z-]+)$/.exec(specifier)?.[1];
    return next(lib ? path.join(ROOT, 'libs', lib, 'src', 'index.ts') : specifier, context);
  },
  load(url, context, next) {
    if (!url.startsWith('file:') || !url.endsWith('.ts') || url.includes('/node_modules/')) return next(url, context);
    const filename = fileURLToPath(url);
    const { code } = transformSync(readFileSync(filename, 'utf8'), { filename, root: ROOT, sourceMaps: 'inline' });
    return { format: 'commonjs', source: code, shortCircuit: true };
  },
});

// `require` asks this table for the extensions it completes a path with.
require.extensions['.ts'] ??= require.extensions['.js'];
