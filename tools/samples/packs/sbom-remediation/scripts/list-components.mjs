// Lists the components of a CycloneDX SBOM: node list-components.mjs <sbom.json> <out.json>
import { readFile, writeFile } from 'node:fs/promises';

const [sbomFile, outFile] = process.argv.slice(2);
const sbom = JSON.parse(await readFile(sbomFile, 'utf8'));
if (sbom.bomFormat !== 'CycloneDX') throw new Error(`${sbomFile} is not a CycloneDX SBOM`);

const found = new Map();
const visit = components => {
  for (const { name, group, version, purl, components: nested = [] } of components) {
    const key = purl ?? `${group ?? ''}/${name}@${version}`;
    if (version) found.set(key, { name: group ? `${group}/${name}` : name, version, purl: purl ?? null });
    visit(nested);
  }
};
visit(sbom.components ?? []);

const components = [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
await writeFile(outFile, JSON.stringify(components, null, 2));
console.log(`${components.length} components`);
