import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { VerifyBundleReply, VerifyBundleRequest } from '@packs/contracts';
import { DEFAULT_SCANNING, sha256, type ScanReport, type ScanSettings } from '@packs/domain';
import { MalwareScanner, SecretPool, SecretScanner, type BundleScanner, type ClamdAddress } from '@packs/scanning';
import {
  aSigner,
  aTar,
  aZip,
  CLAMD,
  eicar,
  nestedFiveDeep,
  ScriptedClamd,
  TestClamd,
  type ArchivedFile,
  type ClamdScript,
} from '@packs/testing';
import { aPolicy, aVerifier, MANIFEST } from '../evaluation/verifier.fixture';
import { VerifyBundle } from '../verify-bundle/verify-bundle';
import { LiveScans } from './live-scans';
import { RecordedScans } from './recorded-scans';
import { watchScanners } from './watch-scanners';

const MIB = 1024 * 1024;
const WORKER = path.resolve(__dirname, '../../../../libs/scanning/src/secrets/secret-worker.ts');
const HOOK = path.resolve(__dirname, '../../../../tools/testing/typescript.cjs');
const SECRET = ['gh', 'p_', '0123456789', 'abcdefghijklmnopqrstuvwxyz'].join('');
const DOTS = { name: 'a.txt', content: 'harmless\n' };

const release = aSigner('release');

function bundleOf(files: readonly ArchivedFile[]): Buffer {
  return gzipSync(aTar([{ name: 'pack.yaml', content: MANIFEST }, ...files]));
}

describe('a verdict on a bundle that is scanned', () => {
  let secrets: SecretScanner;
  let clamd: ScriptedClamd;

  beforeAll(() => {
    const program = { file: WORKER, execArgv: ['--require', HOOK] };
    secrets = new SecretScanner(new SecretPool({ workers: 1, deadlineMs: 30_000, program }));
  });
  beforeEach(async () => {
    clamd = await ScriptedClamd.start();
  });
  afterEach(() => clamd.stop());
  afterAll(() => secrets.close());

  function clamdAt(address: ClamdAddress): MalwareScanner {
    return new MalwareScanner({ address, timeoutMs: 2_000, maxFileBytes: 100 * MIB });
  }

  interface Setting {
    readonly files?: readonly ArchivedFile[];
    readonly scanning?: ScanSettings;
    readonly scanners?: readonly BundleScanner[];
    readonly changes?: Partial<VerifyBundleRequest>;
    readonly deadlineMs?: number;
  }

  function setUp({ files = [DOTS], scanning = DEFAULT_SCANNING, scanners, changes, deadlineMs = 60_000.5 }: Setting = {}) {
    const verifier = aVerifier();
    const bytes = bundleOf(files);
    const request: VerifyBundleRequest = {
      tenant: 'acme',
      packId: null,
      version: null,
      channel: 'edge',
      bundle: verifier.blobs.put(bytes),
      signatures: [verifier.signature(release.bundle(bytes))],
      policies: [aPolicy()],
      trust: verifier.trust([release.key]),
      evaluatedAt: '2026-02-01T00:00:00.000Z',
      scanning,
      ...changes,
    };
    const measured: string[] = [];
    const meter = { observe: (scanner: string, result: string) => void measured.push(`${scanner} ${result}`) };
    const scans = new LiveScans(verifier.blobs, scanners ?? [secrets, clamdAt(clamd.address)], meter, () => deadlineMs);
    const useCase = new VerifyBundle(verifier.blobs, verifier.signatures, scans);
    return { ...verifier, request, measured, execute: () => useCase.execute(request) };
  }

  function told({ verdict }: VerifyBundleReply): string[] {
    return verdict.checks.filter(({ id }) => id === 'scan').map(({ scanner, outcome, reason }) => `${scanner} ${outcome} ${reason}`);
  }

  type Stored = Pick<ReturnType<typeof setUp>, 'blobs'>;

  function reportsOf({ blobs }: Stored, { scanReports = [], verdict }: VerifyBundleReply): ScanReport[] {
    const named = verdict.checks.flatMap(({ id, evidence }) => (id === 'scan' && evidence ? [evidence] : []));
    expect(scanReports.map(({ digest }) => digest)).toEqual(named);
    return scanReports.map(({ objectKey, digest }) => {
      const bytes = blobs.objects.get(objectKey) ?? Buffer.alloc(0);
      expect(sha256(bytes)).toBe(digest);
      return JSON.parse(bytes.toString()) as ScanReport;
    });
  }

  it('names the report of each scanner, which is one blob for all that is clean', async () => {
    const [one, other] = [setUp(), setUp({ files: [{ name: 'b.txt', content: 'other\n' }] })];
    const [first, second] = [await one.execute(), await other.execute()];
    expect([first.verdict.outcome, told(first)]).toEqual(['accepted', ['secrets pass ok', 'malware pass ok']]);
    expect(reportsOf(one, first)).toEqual(reportsOf(other, second));
    expect(clamd.streams.map(String)).toEqual([MANIFEST, 'harmless\n', MANIFEST, 'other\n']);
    expect(one.measured).toEqual(['secrets ok', 'malware ok']);
    const before = one.blobs.objects.size;
    await one.execute();
    // But for the config, which each verdict writes.
    expect(one.blobs.objects.size).toBe(before + 1);
  }, 60_000);

  it('has no check for what the tenant switched off, and none at all where nobody asked', async () => {
    const { execute } = setUp({ scanning: { secrets: 'off', malware: 'off' }, files: [{ name: 'a', content: SECRET }] });
    expect(told(await execute())).toEqual([]);
    const asBefore = setUp({ changes: { scanning: undefined } });
    expect((await asBefore.execute()).verdict.checks.map(({ id }) => id)).not.toContain('scan');
    expect(clamd.streams).toEqual([]);
  });

  it.each<[string, Buffer]>([
    ['in a file', Buffer.from(`x\n${SECRET}\n`)],
    ['five deep in archives', nestedFiveDeep('deep.env', Buffer.from(`x\nTOKEN=${SECRET}\n`))],
  ])(
    'rejects a secret %s, and tells nobody what it is',
    async (_, content) => {
      const set = setUp({ files: [DOTS, { name: 'conf/a', content }] });
      const reply = await set.execute();
      expect(reply.verdict.outcome).toBe('rejected');
      expect(told(reply)).toEqual(['secrets fail secret-found', 'malware pass ok']);
      const [report] = reportsOf(set, reply);
      expect(report?.findings).toEqual([{ path: expect.stringMatching(/^conf\/a/) as string, line: 2, rule: 'github/GITHUB_TOKEN' }]);
      expect(reply.faults).toEqual([
        {
          code: 'ERR_PACK_SECRET_FOUND',
          reason: 'secret-found',
          message: expect.stringMatching(/^"conf\/a.*line 2 holds what looks like a secret: github\/GITHUB_TOKEN$/) as string,
        },
      ]);
      expect(JSON.stringify([reply, report])).not.toContain(SECRET.slice(4, 10));
      expect(reply.pack?.config).toBeNull();
    },
    60_000,
  );

  it('rejects malware by name', async () => {
    clamd.script = { does: 'answer', text: 'stream: Eicar-Signature FOUND' };
    const set = setUp({ files: [{ name: 'bin/tool', content: eicar() }] });
    const reply = await set.execute();
    expect([reply.verdict.outcome, told(reply)]).toEqual(['rejected', ['secrets pass ok', 'malware fail malware-found']]);
    expect(reply.faults).toContainEqual({
      code: 'ERR_PACK_MALWARE_FOUND',
      reason: 'malware-found',
      message: '"bin/tool" holds malware: Eicar-Signature',
    });
  }, 60_000);

  it('rejects bombs by their limit, for each scanner', async () => {
    const bomb = aZip([{ name: 'zeros', content: Buffer.alloc(64 * MIB) }]);
    const set = setUp({ files: [DOTS, { name: 'bomb.zip', content: bomb }] });
    const reply = await set.execute();
    expect([reply.verdict.outcome, told(reply)]).toEqual(['rejected', ['secrets fail scan-limit', 'malware fail scan-limit']]);
    expect(reportsOf(set, reply)[0]?.limit).toEqual({ name: 'ratio', path: 'bomb.zip' });
    expect(reply.faults[0]).toMatchObject({ code: 'ERR_PACK_SCAN_LIMIT', message: '"bomb.zip" is more than a scan looks at: ratio' });
  }, 60_000);

  it('says what nobody could look into', async () => {
    const set = setUp({ files: [{ name: 'x.zip', content: aZip([DOTS], { encrypted: true }) }] });
    const reply = await set.execute();
    expect(told(reply)).toEqual(['secrets pass ok', 'malware pass ok']);
    for (const report of reportsOf(set, reply)) expect(report.unopened).toEqual([{ path: 'x.zip!a.txt', why: 'encrypted' }]);
  }, 60_000);

  it('does not scan what is refused before, nor keep its config when it is refused then', async () => {
    const { execute, blobs } = setUp({ changes: { signatures: [] } });
    const before = blobs.objects.size;
    expect(told(await execute())).toEqual(['secrets skipped not-reached', 'malware skipped not-reached']);
    expect([clamd.streams, blobs.objects.size]).toEqual([[], before]);
  });

  it('scans what may wait for its signatures', async () => {
    const set = setUp({
      changes: { signatures: [], policies: [aPolicy({ unsigned: 'pending' })] },
      files: [{ name: 'a', content: SECRET }],
    });
    const reply = await set.execute();
    expect(told(reply)).toEqual(['secrets fail secret-found', 'malware pass ok']);
    expect(reply.pack?.config).toBeNull();
  }, 60_000);

  it('is not needed to see that a scanner is gone', async () => {
    const seen: string[] = [];
    const scanners = [secrets, clamdAt(clamd.address)];
    const watch = () => watchScanners(scanners, (scanner, isUp) => void seen.push(`${scanner} ${isUp}`));
    await watch();
    await clamd.stop();
    await watch();
    clamd = await ScriptedClamd.start();
    expect(seen).toEqual(['secrets true', 'malware true', 'secrets true', 'malware false']);
  });

  describe('a scanner for malware that is not there', () => {
    const gone = { path: '/nonexistent/clamd.sock' };

    it.each<[string, () => BundleScanner[], string]>([
      ['in this registry', () => [secrets], 'scan-not-configured'],
      ['at its address', () => [secrets, clamdAt(gone)], 'scan-unavailable'],
    ])(
      '%s is passed over when it is on, and the verdict says so',
      async (_, scanners, reason) => {
        const reply = await setUp({ scanners: scanners() }).execute();
        expect([reply.verdict.outcome, told(reply)]).toEqual(['accepted', [`malware skipped ${reason}`, 'secrets pass ok']]);
      },
      60_000,
    );

    it.each<[string, () => BundleScanner[]]>([
      ['in this registry', () => [secrets]],
      ['at its address', () => [secrets, clamdAt(gone)]],
    ])('%s leaves no verdict when it is required', async (_, scanners) => {
      const { execute } = setUp({ scanners: scanners(), scanning: { secrets: 'on', malware: 'required' } });
      await expect(execute()).rejects.toMatchObject({ code: 'ERR_PACK_SCAN_UNAVAILABLE', retry: 'later' });
    });
  });

  it.each<[string, ClamdScript]>([
    ['breaks off', { does: 'cut-after', bytes: 1 }],
    ['says nothing', { does: 'say-nothing' }],
    ['says what makes no sense', { does: 'answer', text: 'stream: ?' }],
  ])('is not given when a scanner that has begun %s, required or not', async (_, script) => {
    clamd.script = script;
    const { execute, measured } = setUp({ deadlineMs: 500 });
    await expect(execute()).rejects.toMatchObject({ code: 'ERR_PACK_SCAN_UNAVAILABLE', retry: 'later' });
    expect(measured).toEqual(['secrets unavailable', 'malware unavailable']);
  });

  it('is found again from its stored reports, without a scanner', async () => {
    const files = [{ name: 'a', content: SECRET }];
    for (const setting of [{ files }, { scanners: [secrets] }, {}]) {
      const set = setUp(setting);
      const given = await set.execute();
      const recorded = new RecordedScans(set.blobs, given.verdict.checks, given.scanReports ?? []);
      const again = await new VerifyBundle(set.blobs, set.signatures, recorded).execute(set.request);
      expect(again.verdictHash).toBe(given.verdictHash);
      const without = new RecordedScans(set.blobs, given.verdict.checks, []);
      expect((await new VerifyBundle(set.blobs, set.signatures, without).execute(set.request)).verdictHash).not.toBe(given.verdictHash);
    }
  }, 60_000);

  (CLAMD.isWanted ? it : it.skip)(
    `finds the test file five deep with a real clamd${CLAMD.note}`,
    async () => {
      const real = await TestClamd.start();
      try {
        const content = nestedFiveDeep('eicar.com', eicar());
        const set = setUp({ files: [{ name: 'data/outer.zip', content }], scanners: [secrets, clamdAt({ path: real.socket })] });
        const reply = await set.execute();
        expect([reply.verdict.outcome, told(reply)]).toEqual(['rejected', ['secrets pass ok', 'malware fail malware-found']]);
        expect(reportsOf(set, reply)[1]?.findings).toContainEqual({
          path: 'data/outer.zip!fifth.tar!fourth.zip!third.tar.gz!!eicar.com',
          rule: 'Eicar-Test.UNOFFICIAL',
        });
      } finally {
        await real.stop();
      }
    },
    60_000,
  );
});
