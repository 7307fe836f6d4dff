import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..', '..', '..');

/** Half of what a command loaded, and a fifth of what a process did, was for DTOs that only the gateway reads. */
it('no file of HTTP shapes is loaded before somebody names something in it', () => {
  const { module } = JSON.parse(readFileSync(join(ROOT, '.swcrc'), 'utf8')) as { module: { lazy: readonly string[] } };
  const files = readdirSync(__dirname).filter(name => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
  expect([...module.lazy]).toEqual(files.map(name => `./http/${name.replace('.ts', '')}`).toSorted());
});
