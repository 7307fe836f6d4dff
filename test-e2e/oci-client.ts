import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { peer } from '@packs/testing';
import type { CommandResult } from './command-line';

type OciProgram = 'cosign' | 'crane' | 'helm' | 'oras' | 'regctl' | 'skopeo';

const RUN_MS = 60_000;

/** What some stories need; each is skipped by name where one of its programs is missing. */
export function clients(...names: readonly OciProgram[]): { readonly suite: jest.Describe; readonly note: string } {
  const missing = names.map(programOf).find(({ isWanted }) => !isWanted);
  return { suite: missing ? describe.skip : describe, note: missing?.note ?? '' };
}

/** skopeo comes with the system, the others from the peers' folder. */
function programOf(name: OciProgram): ReturnType<typeof peer> {
  if (name !== 'skopeo') return peer(name);
  const isWanted = spawnSync('skopeo', ['--version']).status === 0 || process.env.REQUIRE_PEERS === '1';
  return { path: 'skopeo', isWanted, note: isWanted ? '' : ' (skipped: no skopeo on PATH)' };
}

/** Somebody with the programs of others, a home of their own and a registry that speaks plain HTTP. */
export class OciClient {
  readonly folder = mkdtempSync(join(tmpdir(), 'packs-e2e-oci-'));
  readonly host: string;

  constructor(gatewayUrl: string) {
    this.host = new URL(gatewayUrl).host;
    this.write('.regctl/config.json', JSON.stringify({ hosts: { [this.host]: { tls: 'disabled', hostname: this.host } } }));
  }

  /** As `docker login` leaves it for all of them. Any name goes with an access token as password. */
  loggedIn(password: string, user = 'token'): this {
    const auth = Buffer.from(`${user}:${password}`).toString('base64');
    this.write('docker/config.json', JSON.stringify({ auths: { [this.host]: { auth } } }));
    return this;
  }

  run(program: OciProgram, args: readonly string[], input: string | Uint8Array = ''): Promise<CommandResult> {
    return runProgram(programOf(program).path, args, { cwd: this.folder, env: this.env, input });
  }

  /** What it printed; any other end than a good one fails. */
  async ok(program: OciProgram, ...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(program, args);
    if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** What it complained about; success fails. */
  async refused(program: OciProgram, ...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(program, args);
    if (code === 0) throw new Error(`${program} ${args.join(' ')} was not refused: ${stdout}`);
    return stderr + stdout;
  }

  async json<T>(program: OciProgram, ...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.ok(program, ...args)) as T;
  }

  write(path: string, content: string | Uint8Array): string {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), content);
    return path;
  }

  read(path: string): Buffer {
    return readFileSync(join(this.folder, path));
  }

  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get env(): Record<string, string> {
    const config = join(this.folder, 'docker', 'config.json');
    return {
      ...{ PATH: process.env.PATH ?? '', HOME: this.folder, TMPDIR: this.folder, COSIGN_PASSWORD: '' },
      ...{ DOCKER_CONFIG: join(this.folder, 'docker'), REGISTRY_AUTH_FILE: config, HELM_REGISTRY_CONFIG: config },
    };
  }
}

async function runProgram(
  path: string,
  args: readonly string[],
  { cwd, env, input }: { cwd: string; env: Record<string, string>; input: string | Uint8Array },
): Promise<CommandResult> {
  const child = spawn(path, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], timeout: RUN_MS });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', text => (said[name] += String(text)));
  // A program that wants no input may be gone before it is given any.
  child.stdin.on('error', () => undefined).end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}
