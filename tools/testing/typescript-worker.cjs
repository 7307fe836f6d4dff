// Preloaded by threads that specs start from a TypeScript file: compiles what they require, as the build does.
const { existsSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { transformFileSync } = require('@swc/core');

const ROOT = path.resolve(__dirname, '../..');
const resolve = Module._resolveFilename;

Module._resolveFilename = function (request, parent, ...rest) {
  const lib = /^@packs\/([a-z-]+)$/.exec(request);
  if (lib) return path.join(ROOT, 'libs', lib[1], 'src/index.ts');
  const source = request.startsWith('.') && parent?.filename ? `${path.resolve(path.dirname(parent.filename), request)}.ts` : '';
  return existsSync(source) ? source : resolve.call(this, request, parent, ...rest);
};

Module._extensions['.ts'] = (module, file) => module._compile(transformFileSync(file, { swcrc: true, sourceMaps: 'inline' }).code, file);
