// Installs the clients and servers of others that tests and benchmarks run beside us, once, into a cache outside the clone.
// Tests use what is there and name the rest as skipped; they never build. Needs Go 1.26 or newer.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const CACHE = process.env.PEERS_DIR ?? path.join(homedir(), '.cache', 'packs-peers');
const PEERS = {
  cosign: 'github.com/sigstore/cosign/v3/cmd/cosign@v3.1.2',
  cosign2: 'github.com/sigstore/cosign/v2/cmd/cosign@v2.6.1',
  versitygw: 'github.com/versity/versitygw/cmd/versitygw@v1.7.0',
  oras: 'oras.land/oras/cmd/oras@v1.3.3',
  crane: 'github.com/google/go-containerregistry/cmd/crane@v0.21.9',
  regctl: 'github.com/regclient/regclient/cmd/regctl@v0.11.5',
  helm: 'helm.sh/helm/v4/cmd/helm@v4.2.4',
  registry: 'github.com/distribution/distribution/v3/cmd/registry@v3.1.1',
  zot: 'zotregistry.dev/zot/v2/cmd/zot@v2.1.20',
  conformance: 'github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260716174315-967efdc079b9',
};

mkdirSync(CACHE, { recursive: true });
if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) {
  console.error(
    'Failed: peers\nCause:  there is no go on PATH.\nRemedy: install Go 1.26 or newer; tests that need a peer are skipped by name until then.',
  );
  process.exit(1);
}
for (const [name, module] of Object.entries(PEERS)) {
  if (existsSync(path.join(CACHE, name))) {
    console.log(`${name} is there`);
    continue;
  }
  console.log(`${name}: building ${module} (some minutes) ...`);
  // Go names a program by its package: two releases of one are built apart.
  const folder = path.join(CACHE, `.${name}`);
  const { status } = spawnSync('go', ['install', module], { stdio: 'inherit', env: { ...process.env, GOBIN: folder } });
  if (status === 0) renameSync(path.join(folder, path.basename(module.split('@')[0])), path.join(CACHE, name));
  else process.exitCode = 1;
}
