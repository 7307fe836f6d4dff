#!/usr/bin/env node
import { processContext } from '../terminal/process-context';
import { runProgram } from '../terminal/run-program';
import { stellaProgram } from './program';

const context = processContext(process.env);

void runProgram(stellaProgram(context), process.argv.slice(2), context).then(code => {
  process.exitCode = code;
});
