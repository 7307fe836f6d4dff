import { PredicateReader, type Read } from './bounded';

/** https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md */
export const TEST_RESULT = 'https://in-toto.io/attestation/test-result/v0.1';

const RESULTS = ['PASSED', 'WARNED', 'FAILED'] as const;

export interface TestResult extends Read {
  readonly result: (typeof RESULTS)[number] | null;
  readonly url: string | null;
  readonly passed: number;
  readonly warned: number;
  readonly failed: number;
}

export function readTestResult(predicate: unknown): TestResult {
  const reader = new PredicateReader();
  const { result, url, passedTests, warnedTests, failedTests } = reader.object(predicate, '');
  const known = RESULTS.find(one => one === result) ?? null;
  if (known === null && result !== undefined) reader.leaveOut('/result');
  return {
    result: known,
    url: reader.text(url, '/url'),
    passed: reader.list(passedTests, '/passedTests').length,
    warned: reader.list(warnedTests, '/warnedTests').length,
    failed: reader.list(failedTests, '/failedTests').length,
    leftOut: reader.leftOut,
  };
}
