import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity';
import { orphansAmong, RunRecord, type RecordedProcess } from './run-record';

const identity: ProcessIdentity = { pid: 4711, started: 'boot:100', command: 'node publisher/main.js' };
const publisher: RecordedProcess = { name: 'publisher', identity, stopSignal: 'SIGTERM' };

describe('orphansAmong', () => {
  it('recognises a recorded process that still runs', () => {
    expect(orphansAmong([publisher], () => identity)).toEqual([publisher]);
  });

  it.each([
    ['ended', undefined],
    ['was started at another time', { ...identity, started: 'boot:101' }],
    ['was started before the machine was', { ...identity, started: 'other-boot:100' }],
    ['is another program', { ...identity, command: 'vim notes.txt' }],
  ])('leaves a pid alone whose process %s', (_what, now) => {
    expect(orphansAmong([publisher], () => now)).toEqual([]);
  });

  it('answers the last started first', () => {
    const gateway = { ...publisher, name: 'api-gateway' };
    expect(orphansAmong([publisher, gateway], () => identity).map(({ name }) => name)).toEqual(['api-gateway', 'publisher']);
  });
});

describe('RunRecord', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'run-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('tells the next run what was added and not removed', () => {
    const record = new RunRecord(folder);
    record.add(publisher);
    record.add({ ...publisher, name: 'verifier' });
    record.remove('publisher');
    expect(new RunRecord(folder).previous()).toEqual([{ ...publisher, name: 'verifier' }]);
    expect(statSync(join(folder, 'run.json')).mode & 0o777).toBe(0o600);
  });

  it('holds one entry for a process that was started again', () => {
    const record = new RunRecord(folder);
    const again = { ...publisher, identity: { ...identity, pid: 4712 } };
    record.add(publisher);
    record.add(again);
    expect(new RunRecord(folder).previous()).toEqual([again]);
  });

  it.each(['', 'not json', '{}', '{"processes":[{"name":"x","identity":{"pid":1}},{"name":"y"}]}'])(
    'takes nothing from a damaged or forged record: %s',
    content => {
      writeFileSync(join(folder, 'run.json'), content);
      expect(new RunRecord(folder).previous()).toEqual([]);
    },
  );
});
