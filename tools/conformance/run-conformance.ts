import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the program's cases are taken from: the released specification, or its main branch. */
export const SPEC_VERSIONS = ['1.1', 'dev'] as const;
export type SpecVersion = (typeof SPEC_VERSIONS)[number];

/** A registry as a client knows it. */
export interface RegistryLogin {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Two generic repositories that the client may push to; they are left with what the cases put there. */
  readonly repositories: readonly [string, string];
  /** Where the program writes its reports. Default: nowhere that stays. */
  readonly folder?: string;
}

export interface ConformanceResult {
  readonly version: SpecVersion;
  /** The program's own verdict. */
  readonly passed: boolean;
  /** Cases by what became of them, as the program names it. */
  readonly counts: Readonly<Record<string, number>>;
  /** Each case that was not passed, with the program's reason. */
  readonly troubles: readonly string[];
}

const PROGRAM_MS = 5 * 60_000;

/**
 * Runs the conformance program of distribution-spec.
 * @param program its path
 * @throws Error when it cannot be run or says nothing that can be read
 */
export async function runConformance(program: string, version: SpecVersion, login: RegistryLogin): Promise<ConformanceResult> {
  const scratch = mkdtempSync(join(tmpdir(), 'packs-conformance-'));
  const [OCI_REPO1, OCI_REPO2] = login.repositories;
  const { host, protocol } = new URL(login.url);
  const env = {
    ...{ HOME: scratch, OCI_VERSION: version, OCI_REGISTRY: host, OCI_TLS: protocol === 'http:' ? 'disabled' : 'enabled' },
    ...{ OCI_REPO1, OCI_REPO2, OCI_USERNAME: login.username, OCI_PASSWORD: login.password },
    OCI_RESULTS_DIR: login.folder ?? scratch,
  };
  try {
    const child = spawn(program, [], { cwd: scratch, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: PROGRAM_MS });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (said += String(text)));
    const [code] = (await once(child, 'close')) as [number | null];
    return { version, passed: code === 0, ...readSummary(said) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const HEADING = /^OCI Conformance Result: /m;
const COUNT = /^ {2}(\w+)\.+: +(\d+)$/;
const UNPASSED = /^ +(?:OCI Conformance Test\/)(.+): (FAIL|Error|Skip)$/;

/** @throws Error when there is no summary in it */
export function readSummary(said: string): Pick<ConformanceResult, 'counts' | 'troubles'> {
  const at = said.search(HEADING);
  if (at < 0) throw new Error(`the conformance program gave no result: ${said.slice(-1_000)}`);
  const counts: Record<string, number> = {};
  for (const line of said.slice(at).split('\n').slice(1)) {
    const [, name, count] = COUNT.exec(line) ?? [];
    if (name === undefined) break;
    counts[name] = Number(count);
  }
  return { counts, troubles: troublesIn(said.slice(0, at).split('\n')) };
}

/** A case that was not passed is told with its reasons, a group of such by those it holds. */
function troublesIn(lines: readonly string[]): string[] {
  return lines.flatMap((line, at) => {
    const [, name, status] = UNPASSED.exec(line) ?? [];
    const reason = /^ +- (.*)$/.exec(lines[at + 1] ?? '')?.[1];
    return name === undefined || reason === undefined ? [] : [`${status} ${name}: ${reason}`];
  });
}
