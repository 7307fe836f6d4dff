// Plans one upgrade for each component: node plan-upgrades.mjs <findings.json> <lowest severity> <out.json>
import { readFile, writeFile } from 'node:fs/promises';
import { isBefore } from './versions.mjs';

const SEVERITIES = ['low', 'medium', 'high', 'critical'];

const [findingsFile, lowest, outFile] = process.argv.slice(2);
if (!SEVERITIES.includes(lowest)) throw new Error(`severity must be one of ${SEVERITIES.join(', ')}`);
const findings = JSON.parse(await readFile(findingsFile, 'utf8'));

const plans = new Map();
for (const { name, version, purl, advisory, severity, fixed } of findings) {
  if (SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(lowest)) continue;
  const plan = plans.get(purl) ?? { name, purl, from: version, to: fixed, advisories: [] };
  plan.advisories.push(advisory);
  if (isBefore(plan.to, fixed)) plan.to = fixed;
  plans.set(purl, plan);
}

const upgrades = [...plans.values()];
await writeFile(outFile, JSON.stringify({ severity: lowest, upgrades }, null, 2));
console.log(`${upgrades.length} upgrades`);
