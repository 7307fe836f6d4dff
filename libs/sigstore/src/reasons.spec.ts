import { readFileSync } from 'node:fs';
import path from 'node:path';
import { VERIFICATION_REASONS } from './reasons';

const SECURITY = readFileSync(path.resolve(__dirname, '../../../docs/security.md'), 'utf8');

describe('the reasons a signature is refused for', () => {
  it('are those that docs/security.md lists, with the same meaning', () => {
    const [, section = ''] = SECURITY.split('### Why a signature is refused');
    const rows = (section.split('\n#')[0] ?? '').matchAll(/^\| `([a-z-]+)` +\| ([a-z]+) +\| (.+?) +\|$/gm);
    const documented = [...rows].map(([, code, check, meaning]) => [code, [check, meaning]]);
    expect(Object.fromEntries(documented)).toEqual(VERIFICATION_REASONS);
  });
});
