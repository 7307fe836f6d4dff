import { statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StepError } from '../../stack/step-error';
import { benchFolder } from '../bench-folder';
import { describeMachine } from '../machine';
import { measureIsolation, type IsolationRound } from '../oci/isolation';
import { LoadProcess } from '../oci/load-process';
import { measureLoad, type LoadTurn, type Side } from '../oci/load-turn';
import { ociReport, type OciResult, type RowResult } from '../oci/oci-report';
import { OurRegistry } from '../oci/our-registry';
import { PEER_KINDS, PeerRegistry } from '../oci/peer-registry';
import { planOf, type Row, type Suite } from '../oci/plan';
import { profileLoad } from '../oci/profile-load';
import { shown } from '../table';

export interface OciOptions {
  readonly rounds: number;
  readonly suites: readonly Suite[];
  readonly full: boolean;
  readonly json?: string;
  /** Folder for CPU profiles of the gateway. */
  readonly profile?: string;
  readonly signal: AbortSignal;
}

interface Bench {
  readonly ours: OurRegistry;
  readonly peers: readonly PeerRegistry[];
  readonly loads: LoadProcess;
  readonly options: OciOptions;
}

interface Measured {
  readonly rows: RowResult[];
  readonly isolation: IsolationRound[];
}

const GATEWAYS = 2;
const GIB = 1024 ** 3;
/** What a run leaves on the disk until its end, and as much again for whoever else is there. */
const NEEDED_BYTES = { some: 40 * GIB, full: 160 * GIB };

/** The OCI API beside other registries: the same load on each, in turns. */
export async function runOci(options: OciOptions): Promise<void> {
  const folder = benchFolder();
  requireRoom(dirname(folder), options.full && options.suites.includes('push') ? NEEDED_BYTES.full : NEEDED_BYTES.some);
  const machine = describeMachine(dirname(folder));
  const ours = await OurRegistry.start(folder, GATEWAYS, options.signal);
  const [peers, loads]: [PeerRegistry[], LoadProcess] = [[], new LoadProcess()];
  try {
    const installed = PEER_KINDS.filter(kind => PeerRegistry.isInstalled(kind));
    for (const kind of installed) peers.push(await PeerRegistry.start(kind, join(ours.folder, 'peers')));
    const bench = { ours, peers, loads, options };
    const measured: Measured = { rows: [], isolation: [] };
    const known = {
      machine,
      ...(await ours.servers()),
      sides: peers.map(({ name, version, kind }) => ({ name, version, durability: kind.durability })),
      skipped: PEER_KINDS.filter(kind => !installed.includes(kind)).map(({ name, where }) => `${name} is not installed (${where})`),
      gateways: ours.gateways,
      idleMib: ours.gatewayMemory(),
    };
    try {
      await measureAll(bench, measured);
    } finally {
      // What was measured before something failed, or somebody had enough, is not lost.
      report({ ...known, ...measured }, options.json);
    }
    if (options.profile) await profileRows(bench, options.profile);
  } finally {
    loads.close();
    await Promise.all(peers.map(peer => peer.stop()));
    await ours.destroy();
  }
}

async function measureAll(bench: Bench, measured: Measured): Promise<void> {
  const { ours, loads, options } = bench;
  for (const row of planOf(options.suites, options.full)) {
    const turns = await measureRow(bench, row);
    const figures = Object.entries(turns).map(([name, all]) => `${name} ${all.map(turn => shown(turn[row.measure])).join(' ')}`);
    say(`${row.title}: ${figures.join('; ')}`);
    measured.rows.push({ row, turns });
  }
  const rounds = options.suites.includes('isolation') ? options.rounds : 0;
  while (measured.isolation.length < rounds) measured.isolation.push(await measureIsolation(loads, ours, options.signal));
}

async function measureRow(bench: Bench, row: Row): Promise<Record<string, readonly LoadTurn[]>> {
  const turns: Record<string, LoadTurn[]> = {};
  for (let round = 1; round <= bench.options.rounds; round++) {
    for (const side of inTurn([bench.ours, ...bench.peers], round)) {
      const turn = await measureOne(bench, side, row);
      if (turn) (turns[side.name] ??= []).push(turn);
    }
  }
  return turns;
}

async function measureOne({ ours, loads, options: { signal } }: Bench, side: Side, row: Row): Promise<LoadTurn | undefined> {
  try {
    return (await measureLoad(loads, side, row.load, { folder: ours.folder, signal }))?.turn;
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new Error(`${side.name}, ${row.title}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Nobody is always the first after the others. */
function inTurn(sides: readonly Side[], round: number): readonly Side[] {
  return round % 2 === 1 ? sides : sides.toReversed();
}

async function profileRows({ ours, loads, options }: Bench, folder: string): Promise<void> {
  for (const { load, title } of planOf(options.suites, false)) {
    for (const process of [ours.gateways[0] ?? '', 'publisher']) {
      const file = await profileLoad({ loads, side: ours, load, signal: options.signal }, process, folder);
      say(`profile of ${process}, ${title}: ${file}`);
    }
  }
}

function report(result: OciResult, json: string | undefined): void {
  if (result.rows.length + result.isolation.length === 0) return;
  console.log(ociReport(result));
  if (json) writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
}

function requireRoom(folder: string, needed: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= needed) return;
  throw new StepError(
    `${folder} has ${Math.floor((bavail * bsize) / GIB)} GiB of room; this needs ${needed / GIB}.`,
    'Make room, set DATA_DIR to another volume, or measure less: --only manifest,tags,referrers,growth,isolation',
  );
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
