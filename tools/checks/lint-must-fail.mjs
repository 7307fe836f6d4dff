// Lints the fixtures, each as if it lay where its first line says, and fails unless exactly the expected rules fire on the expected lines.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const FIXTURES = path.join(ROOT, 'tools', 'lint-fixtures');

const inTypes = new ESLint({ cwd: ROOT });
// A file that is not there belongs to no TypeScript project: its fixtures are about rules that need no types.
const inText = new ESLint({ cwd: ROOT, overrideConfig: tseslint.configs.disableTypeChecked });

const faults = [];
let fired = 0;
const fixtures = readdirSync(FIXTURES).filter(name => name.endsWith('.ts'));
for (const name of fixtures) {
  const text = readFileSync(path.join(FIXTURES, name), 'utf8');
  const place = /^\/\/ lint as: (\S+)\n/.exec(text)?.[1];
  if (!place) {
    faults.push(`${name}: its first line does not say \`// lint as: <path>\``);
    continue;
  }
  const expected = expectations(text);
  const actual = await lint(text, path.join(ROOT, place));
  for (const one of expected) if (!actual.has(one)) faults.push(`${name}:${one} did not fire`);
  for (const one of actual) if (!expected.has(one)) faults.push(`${name}:${one} fired unexpectedly`);
  fired += expected.size;
}

if (faults.length > 0 || fired === 0) {
  console.error(faults.length > 0 ? faults.join('\n') : 'no rule was expected to fire');
  process.exitCode = 1;
} else {
  console.log(`${fired} forbidden things in ${fixtures.length} fixtures are refused`);
}

async function lint(text, filePath) {
  const eslint = existsSync(filePath) ? inTypes : inText;
  const [result] = await eslint.lintText(text, { filePath });
  return new Set(result.messages.map(({ line, ruleId, message }) => `${line} ${ruleId ?? message}`));
}

/** `// expect: rule, rule` at the end of a line. */
function expectations(text) {
  const all = text.split('\n').flatMap((line, index) => {
    const rules = /\/\/ expect: (.+)$/.exec(line)?.[1]?.split(', ') ?? [];
    return rules.map(rule => `${index + 1} ${rule}`);
  });
  return new Set(all);
}
