import { Memory } from '../testing/run-cli';
import { printFields, printRows, printable } from './output';

const ROWS = [
  { id: 'a', tags: ['x', 'y'] },
  { id: 'longer', tags: [] },
];

describe('output', () => {
  it('aligns columns', () => {
    const out = new Memory();
    printRows(out, { output: 'table' }, null, ROWS, [
      ['ID', row => row.id],
      ['TAGS', row => row.tags.length],
    ]);
    expect(out.text).toBe('ID      TAGS\na       2\nlonger  0\n');
  });

  it('prints the JSON it is given, and nothing else', () => {
    const out = new Memory();
    printRows(out, { output: 'json' }, { rows: ROWS }, ROWS, [['ID', row => row.id]]);
    expect(JSON.parse(out.text)).toEqual({ rows: ROWS });
  });

  it('leaves out fields without a value', () => {
    const out = new Memory();
    printFields(out, { output: 'table' }, null, { name: 'A', description: null, tags: ['x', 'y'], size: 0 });
    expect(out.text).toBe('name:        A\ntags:        x, y\nsize:        0\n');
  });

  it('does not let data drive the terminal', () => {
    expect(printable('a\u001b[31mb\u202ec\r\nd')).toBe('a [31mb c d');
  });
});
