import { readFileSync } from 'node:fs';
import { peer } from '@packs/testing';
import { runConformance, SPEC_VERSIONS } from '../tools/conformance/run-conformance';
import { Registry } from './registry';

const program = peer('conformance');
const suite = program.isWanted ? describe : describe.skip;

jest.setTimeout(180_000);

suite(`the conformance program of distribution-spec${program.note}`, () => {
  it.each(SPEC_VERSIONS)('passes every case of version %s', async version => {
    const registry = await Registry.shared();
    const password = readFileSync(registry.secretFile('acme-publisher'), 'utf8').trim();
    const base = `acme/conformance-${version}-${Date.now()}`;
    const login = { url: registry.gatewayUrl, username: 'acme-publisher', password };
    const { passed, counts, troubles } = await runConformance(program.path, version, {
      ...login,
      repositories: [`${base}/one`, `${base}/two`],
    });
    expect(troubles).toEqual([]);
    expect({ passed, ...counts }).toMatchObject({ passed: true, Pass: expect.any(Number) as number, Skip: 0, FAIL: 0, Error: 0 });
    expect(counts['Pass']).toBeGreaterThan(800);
  });
});
