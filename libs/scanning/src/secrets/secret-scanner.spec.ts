import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ScanReport } from '@packs/domain';
import { SecretPool, type SecretPoolSettings } from './secret-pool';
import { secretSamples } from './secret-samples.fixture';
import { SecretScanner } from './secret-scanner';

const HOOK = path.resolve(__dirname, '../../../../tools/testing/typescript.cjs');
const REAL = { file: path.join(__dirname, 'secret-worker.ts'), execArgv: ['--require', HOOK] };

const SECRET = secretSamples().find(({ rule }) => rule === 'github/GITHUB_TOKEN')?.secret ?? '';
const unavailable = { code: 'ERR_PACK_UNAVAILABLE', retry: 'later' };

async function scan(scanner: SecretScanner, files: Readonly<Record<string, readonly Buffer[]>>): Promise<ScanReport> {
  const run = await scanner.begin();
  for (const [name, pieces] of Object.entries(files)) {
    const file = run.open(name);
    for (const piece of pieces) await file.write(piece);
    await file.end();
  }
  return run.finish();
}

function inPieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

describe('the scanner for secrets', () => {
  let folder: string;
  let scanner: SecretScanner | undefined;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'packs-secrets-'));
  });
  afterEach(() => scanner?.close());
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function open(settings: Partial<SecretPoolSettings> = {}): SecretScanner {
    scanner = new SecretScanner(new SecretPool({ workers: 2, deadlineMs: 30_000, program: REAL, ...settings }));
    return scanner;
  }

  function program(name: string, body: string): SecretPoolSettings['program'] {
    const file = path.join(folder, `${name}.cjs`);
    writeFileSync(
      file,
      `const { parentPort } = require('node:worker_threads');\nparentPort.on('message', ({ windows }) => { ${body} });\n`,
    );
    return { file, execArgv: [] };
  }

  it('finds what lies in many files and deep in large ones, once, in order, with its line', async () => {
    const line = 'a line of a large file\n';
    const large = Buffer.from(`${line.repeat(40_000)}token ${SECRET}\n${line.repeat(20_000)}last ${SECRET}`);
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`files/${at}`, [Buffer.from(line.repeat(200))]]));
    const report = await scan(open(), { 'a.txt': [Buffer.from(`x\n${SECRET}`)], ...many, 'large.txt': inPieces(large, 10_007) });
    expect(report.findings).toEqual([
      { path: 'a.txt', line: 2, rule: 'github/GITHUB_TOKEN' },
      { path: 'large.txt', line: 40_001, rule: 'github/GITHUB_TOKEN' },
      { path: 'large.txt', line: 60_002, rule: 'github/GITHUB_TOKEN' },
    ]);
    expect(JSON.stringify(report)).not.toContain(SECRET.slice(4, 12));
  }, 60_000);

  it('finds one that lies across the end of a window', async () => {
    const at = 256 * 1024 - 20;
    const report = await scan(open(), { 'a.txt': inPieces(Buffer.from(`${'x'.repeat(at - 1)} ${SECRET} y`), 64 * 1024) });
    expect(report.findings).toEqual([{ path: 'a.txt', line: 1, rule: 'github/GITHUB_TOKEN' }]);
  }, 60_000);

  it('reads UTF-16 with its mark, in whatever pieces, and leaves binary files', async () => {
    const text = `\uFEFFtoken\n${SECRET}\n`;
    const little = Buffer.from(text, 'utf16le');
    const big = Buffer.from(little).swap16();
    const binary = Buffer.concat([Buffer.from(`${SECRET}\n`), Buffer.alloc(10)]);
    const report = await scan(open(), { little: inPieces(little, 1), big: inPieces(big, 3), binary: inPieces(binary, 1), empty: [] });
    expect(report.findings.map(({ path: name, line }) => [name, line])).toEqual([
      ['little', 2],
      ['big', 2],
    ]);
  }, 60_000);

  it('names at most fifty, says that there were more, and is the same report for all that is clean', async () => {
    const scanning = open();
    const cut = await scan(scanning, { 'a.txt': [Buffer.from(`${SECRET}\n`.repeat(80))] });
    expect([cut.findings.length, cut.isCut]).toEqual([50, true]);
    const [one, other] = [await scan(scanning, { a: [Buffer.from('a')] }), await scan(scanning, {})];
    expect(one).toEqual(other);
    expect(one).toMatchObject({ scanner: 'secrets', engine: { name: 'secretlint' }, findings: [] });
  }, 60_000);

  it.each([
    ['is stuck', 'for (;;);'],
    ['throws', 'throw new Error("broken")'],
    ['exits', 'process.exit(3)'],
    ['says that it broke', 'parentPort.postMessage({ broken: "TypeError" })'],
  ])(
    'is not done while a thread %s, and goes on with another',
    async (name, body) => {
      const answer = 'parentPort.postMessage({ engine: { name: "e", version: "1", rules: "1" }, found: [] })';
      const broken = program(name.replaceAll(' ', '-'), `if (windows.length > 0) { ${body}; } else ${answer};`);
      const scanning = open({ workers: 1, deadlineMs: 500, program: broken });
      for (let round = 0; round < 2; round++) {
        await expect(scan(scanning, { a: [Buffer.from('content')] })).rejects.toMatchObject(unavailable);
        expect(await scan(scanning, {})).toMatchObject({ findings: [] });
      }
    },
    30_000,
  );

  it('leaves nobody without an answer when it is closed', async () => {
    const scanning = open({ workers: 1, program: program('silent', '') });
    const asked = [1, 2, 3].map(() => scan(scanning, {}).catch((error: unknown) => error));
    await scanning.close();
    for (const answer of await Promise.all(asked)) expect(answer).toMatchObject(unavailable);
    await expect(scan(scanning, {})).rejects.toMatchObject(unavailable);
  }, 30_000);
});
