// Keeps the components an advisory names: node match-advisories.mjs <components.json> <advisories.json> <out.json>
import { readFile, writeFile } from 'node:fs/promises';
import { isBefore } from './versions.mjs';

const [componentsFile, advisoriesFile, outFile] = process.argv.slice(2);
const components = JSON.parse(await readFile(componentsFile, 'utf8'));
const advisories = JSON.parse(await readFile(advisoriesFile, 'utf8'));

const findings = components.flatMap(component => {
  // A package URL ends its name before the version, qualifiers or subpath.
  const purl = component.purl?.split(/[@?#]/, 1)[0];
  return advisories
    .filter(advisory => advisory.purl === purl && isBefore(component.version, advisory.affected))
    .map(({ id, severity, fixed }) => ({ ...component, advisory: id, severity, fixed }));
});

await writeFile(outFile, JSON.stringify(findings, null, 2));
console.log(`${findings.length} findings in ${components.length} components`);
