import { readSummary } from './run-conformance';

const HEAD = ['Test results', 'OCI Conformance Test: FAIL', '  OCI Conformance Test/ping: Pass'];
const CASES = [
  '  OCI Conformance Test/sha512 blobs: FAIL',
  '    OCI Conformance Test/sha512 blobs/mount: FAIL',
  '      OCI Conformance Test/sha512 blobs/mount/blob-mount: FAIL',
  '       - the blob is not there',
  '    OCI Conformance Test/sha512 blobs/range 500-0: Skip',
  '     - range request unsupported',
];
const RESULT = [
  'OCI Conformance Result: FAIL',
  '  Skip..........................:          1',
  '  Pass..........................:        984',
  '  FAIL..........................:          1',
  '',
  'API conformance:',
  '  Tag listing...................:       Pass',
];

describe('readSummary', () => {
  it('counts the cases, and tells those that were not passed with their reasons', () => {
    expect(readSummary([...HEAD, ...CASES, '', ...RESULT].join('\n'))).toEqual({
      counts: { Skip: 1, Pass: 984, FAIL: 1 },
      troubles: ['FAIL sha512 blobs/mount/blob-mount: the blob is not there', 'Skip sha512 blobs/range 500-0: range request unsupported'],
    });
  });

  it('takes a program that ended without a result for no success', () => {
    expect(() => readSummary('failed to load config: no such file')).toThrow(/gave no result: failed to load config/);
  });
});
