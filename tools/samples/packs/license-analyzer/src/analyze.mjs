// Prints the licences of the packages below a folder: node analyze.mjs [--categories <file>] <folder>
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { categorize } from './categories.mjs';
import { readers } from './readers.mjs';

const { values, positionals } = parseArgs({
  options: { categories: { type: 'string', default: 'data/categories.json' } },
  allowPositionals: true,
});
const categories = JSON.parse(await readFile(values.categories, 'utf8'));

const findings = new Map();
async function visit(folder) {
  for (const item of await readdir(folder, { withFileTypes: true })) {
    const file = path.join(folder, item.name);
    // Links may lead out of the tree, or back into it.
    if (item.isDirectory() && item.name !== '.git') await visit(file);
    const reader = item.isFile() && readers.find(({ matches }) => matches(file));
    const found = reader && reader.read(await readFile(file, 'utf8'));
    if (!found?.name) continue;
    const { name, version = null, licence = null } = found;
    findings.set(`${reader.ecosystem}/${name}@${version}`, {
      ecosystem: reader.ecosystem,
      name,
      version,
      licence,
      category: categorize(licence, categories),
    });
  }
}
await visit(positionals[0] ?? '.');

const sorted = [...findings].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, finding]) => finding);
console.log(JSON.stringify({ findings: sorted }, null, 2));
