const { writeFileSync } = require('node:fs');

const LINGERS_MS = 60_000;

/** Writes after each spec file what came of the run so far, so that the counts are known whatever ends it; and sees that it ends. */
module.exports = class CountingReporter {
  onTestResult(_test, _result, soFar) {
    write(soFar, false);
  }

  onRunComplete(_contexts, results) {
    write(results, true);
    setTimeout(() => {
      console.error('Something that the tests started keeps jest from ending; it is ended.');
      process.exit(results.success ? 0 : 1);
    }, LINGERS_MS).unref();
  }
};

function write(results, complete) {
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests, numTodoTests } = results;
  const counts = {
    passed: numPassedTests,
    // A spec file that could not be loaded has no tests of its own but is one failure.
    failed: numFailedTests + numRuntimeErrorTestSuites,
    skipped: numPendingTests + numTodoTests,
  };
  writeFileSync(process.env.TEST_COUNTS_FILE, JSON.stringify({ counts, complete }));
}
