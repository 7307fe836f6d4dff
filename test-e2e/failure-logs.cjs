const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const { TestEnvironment } = require('jest-environment-node');

/** Lines of one log at the most. */
const LINES = 20;
const TELLING = /"level":"(warn|error|fatal)"|\b(WARNING|ERROR|FATAL|PANIC)\b|\[(WRN|ERR|FTL)\]/;

/** When a spec fails, what the processes of its stacks warned of is printed with it: their logs go with the stack. */
module.exports = class FailureLogs extends TestEnvironment {
  handleTestEvent({ name, test }) {
    if (name !== 'test_fn_failure') return;
    for (const dataDir of this.global.stackFolders ?? [])
      process.stderr.write(`${test.name}: ${dataDir}\n${warningsOf(join(dataDir, 'logs'))}\n`);
  }
};

function warningsOf(folder) {
  if (!existsSync(folder)) return '';
  const logs = readdirSync(folder).filter(name => name.endsWith('.log') && !name.endsWith('.previous.log'));
  return logs.flatMap(name => [name, ...tellingLines(join(folder, name))]).join('\n');
}

function tellingLines(path) {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.filter(line => TELLING.test(line)).slice(-LINES);
}
