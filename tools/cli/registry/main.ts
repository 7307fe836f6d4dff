#!/usr/bin/env node
import { processContext } from '../terminal/process-context';
import { runProgram } from '../terminal/run-program';
import { registryProgram } from './program';

const context = processContext(process.env);

void runProgram(registryProgram(context), process.argv.slice(2), context).then(code => {
  process.exitCode = code;
});
