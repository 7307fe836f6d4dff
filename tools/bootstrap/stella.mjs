#!/usr/bin/env node
import { runCommand } from './command.mjs';

await runCommand('stella');
