import type { Connection } from './connection';
import { absentDigest, manifestOver, newBlob } from './content';
import type { Load, LoadKind } from './load';
import { grow, type Growing, type Stock, type Stocked } from './stock';

/** @returns how many bytes it moved */
export type Operation = (connection: Connection, at: number) => Promise<number>;
/** @returns undefined when the registry does not serve this */
type Preparation = (stock: Stock, load: Load) => Promise<Operation | undefined>;

const MIB = 1024 ** 2;
const SMALL = 4096;
const CHUNK_BYTES = 5 * MIB;
const PAGE = 100;

export const LOADS: Readonly<Record<LoadKind, Preparation>> = {
  push: (stock, load) => pushing(stock, load, (repository, connection, blob) => repository.pushWhole(connection, blob)),
  'push-chunked': (stock, load) =>
    pushing(stock, load, (repository, connection, blob) => repository.pushChunked(connection, blob, CHUNK_BYTES)),
  pull: async (stock, { bytes = SMALL }) => {
    const stocked = await stock.pullableOf(bytes, shelf(bytes));
    return (connection, at) => pull(connection, pick(stocked, at));
  },
  'get-by-tag': (stock, load) => reading(stock, load, (connection, { repository, tag }) => repository.getManifest(connection, tag)),
  'get-by-digest': (stock, load) =>
    reading(stock, load, (connection, { repository, manifest }) => repository.getManifest(connection, manifest.digest)),
  'head-manifest': (stock, load) =>
    reading(stock, load, (connection, { repository, tag }) => repository.getManifest(connection, tag, 'HEAD')),
  'head-blob': (stock, load) =>
    reading(stock, load, (connection, { repository, blob }) => repository.headBlob(connection, blob.digest, 200).then(() => 0)),
  'head-missing': (stock, load) => {
    const missing = absentDigest();
    return reading(stock, load, (connection, { repository }) => repository.headBlob(connection, missing, 404).then(() => 0));
  },
  'put-manifest': async stock => {
    const repository = await stock.freshRepository();
    const layer = newBlob(SMALL);
    const first = stock.connection();
    await repository.pushWhole(first, layer);
    first.close();
    return async (connection, at) => {
      const manifest = manifestOver(layer, `put ${at}`);
      await repository.putManifest(connection, `v${at}`, manifest);
      return manifest.body.length;
    };
  },
  'list-tags': async (stock, { entries = 0 }) => listing(stock, await stock.grown('tags', entries), 'tags', entries),
  'list-referrers': async (stock, { entries = 0 }) => {
    const growing = await stock.grown('referrers', 0);
    if (!(await serves(stock, growing))) return undefined;
    return listing(stock, await stock.grown('referrers', entries), 'manifests', entries);
  },
  grow: async (stock, { entries = 0 }) => {
    const growing = await stock.grown('tags', entries);
    return connection => grow(connection, growing).then(() => 0);
  },
  mixed: async (stock, load) => {
    const { bytes = SMALL } = load;
    const stocked = await stock.pullableOf(bytes, shelf(bytes));
    const push = await LOADS.push(stock, load);
    return (connection, at) => (at % 4 === 3 && push ? push(connection, at) : pull(connection, pick(stocked, at)));
  },
  'foreign-or-absent': async stock => {
    const stocked = await stock.pullableOf(SMALL, shelf(SMALL));
    const { repository } = pick(stocked, 0);
    // As many of the one as of the other, made beforehand: what is timed is the registry, to which neither kind is new.
    const both = stocked.flatMap(({ blob }) => [blob.digest, absentDigest()]);
    return (connection, at) => repository.headBlob(connection, pick(both, at), 404).then(() => 0);
  },
};

/** So many that they are not all the same, and few enough to stay in the page cache. */
function shelf(bytes: number): number {
  return bytes >= 100 * MIB ? 4 : bytes >= MIB ? 16 : 64;
}

function pick<T>(stocked: readonly T[], at: number): T {
  const found = stocked[at % stocked.length];
  if (found === undefined) throw new Error('nothing is in stock');
  return found;
}

async function pull(connection: Connection, { repository, tag, blob }: Stocked): Promise<number> {
  const manifest = await repository.getManifest(connection, tag);
  return manifest + (await repository.getBlob(connection, blob));
}

async function reading(
  stock: Stock,
  { bytes = SMALL }: Load,
  read: (connection: Connection, stocked: Stocked) => Promise<number>,
): Promise<Operation> {
  const stocked = await stock.pullableOf(bytes, shelf(bytes));
  return (connection, at) => read(connection, pick(stocked, at));
}

type Push = (repository: Stocked['repository'], connection: Connection, blob: Stocked['blob']) => Promise<void>;

/** A blob and its manifest, as a push of an artifact is. */
async function pushing(stock: Stock, { bytes = SMALL }: Load, push: Push): Promise<Operation> {
  const repository = await stock.freshRepository();
  return async (connection, at) => {
    const blob = newBlob(bytes);
    const manifest = manifestOver(blob, `push ${at}`);
    await push(repository, connection, blob);
    await repository.putManifest(connection, `v${at}`, manifest);
    return bytes + manifest.body.length;
  };
}

async function serves(stock: Stock, growing: Growing): Promise<boolean> {
  return (await firstPage(stock.connection(), growing)) !== undefined;
}

function firstPage(connection: Connection, { repository, subject }: Growing): Promise<string | undefined> {
  return repository.firstPage(connection, subject ? { referrersOf: subject.digest } : 'tags', PAGE);
}

/** Registries may answer more than the page that was asked for, never less. */
function listing(stock: Stock, growing: Growing, member: 'tags' | 'manifests', entries: number): Operation {
  const least = Math.min(PAGE, entries);
  return async connection => {
    const page = (await firstPage(connection, growing)) ?? '{}';
    const listed = (JSON.parse(page) as Readonly<Record<string, readonly unknown[]>>)[member]?.length ?? 0;
    if (listed < least) throw new Error(`${listed} of ${least} ${member} were listed`);
    return page.length;
  };
}
