import type { Act, Exchange, PushedManifest } from './oci-log';

/** Each rule names what in the clients' logs contradicts it; of a registry that keeps its word none does. */
export const RULES: Readonly<Record<string, (log: readonly Exchange[]) => readonly string[]>> = {
  'answers only what its clients can act on': unexpected,
  'serves the bytes of the digest or none': wrongBytes,
  'keeps what it acknowledged': lost,
  'has forgotten what it said is deleted': undead,
  'never has a manifest without its blobs': halves,
  'moves a tag forwards only': movedBack,
  'gives a version one manifest for ever': changedVersions,
  'shows what was satisfied, to those it is for': leaked,
  'shows what it said is published': hidden,
};

type Of<A extends Act['act']> = Exchange & { readonly about: Extract<Act, { act: A }> };

function those<A extends Act['act']>(log: readonly Exchange[], ...acts: readonly A[]): Of<A>[] {
  return log.filter((one): one is Of<A> => (acts as readonly string[]).includes(one.about.act));
}

/** While a process is down nothing is known to have happened or not; an upload may be gone or another request's; a tag is not there before its first write. */
const EXPECTED: Readonly<Record<Act['act'], RegExp>> = {
  step: /^(20[0-9]|404 BLOB_UPLOAD_UNKNOWN|(409|416) BLOB_UPLOAD_INVALID)$/,
  'push-blob': /^(201|404 BLOB_UPLOAD_UNKNOWN|(409|416) BLOB_UPLOAD_INVALID)$/,
  'push-manifest': /^201$/,
  'delete-manifest': /^(202|404 MANIFEST_UNKNOWN)$/,
  'delete-tag': /^(202|404 MANIFEST_UNKNOWN)$/,
  'read-blob': /^(200|404 (BLOB|NAME)_UNKNOWN)$/,
  'read-manifest': /^(200|404 (MANIFEST|NAME)_UNKNOWN)$/,
  'read-tag': /^(200|404 (MANIFEST|NAME)_UNKNOWN)$/,
};

function unexpected(log: readonly Exchange[]): string[] {
  const answerOf = ({ status, code }: Exchange) => `${status}${code === null ? '' : ` ${code}`}`;
  return log
    .filter(one => one.status !== null && one.status !== 503 && !EXPECTED[one.about.act].test(answerOf(one)))
    .map(one => `${show(one)} was answered ${answerOf(one)}`);
}

function wrongBytes(log: readonly Exchange[]): string[] {
  const wrong = those(log, 'read-blob', 'read-manifest', 'read-tag').filter(({ about, status, read, told }) => {
    return status === 200 && (read !== told || ('digest' in about && about.digest !== read));
  });
  return wrong.map(one => `${show(one)} got ${one.read}, named ${one.told}`);
}

/** What was acknowledged is read again, and is never missed by anybody who may see it. */
function lost(log: readonly Exchange[]): string[] {
  const reads = those(log, 'read-blob', 'read-manifest').filter(({ standing }) => standing === 'writer');
  const deletes = those(log, 'delete-manifest');
  return those(log, 'push-blob', 'push-manifest')
    .filter(isDone)
    .flatMap(push => {
      const undone = deletes.filter(one => isOf(one, push) && one.ended > push.began).map(({ began }) => began);
      const until = Math.min(Infinity, ...undone);
      const after = reads.filter(one => isOf(one, push) && one.began > push.ended && one.began < until);
      const missed = after
        .filter(({ status, ended }) => status === 404 && ended < until)
        .map(one => `${show(push)}: ${show(one)} missed it`);
      if (missed.length > 0 || until < Infinity || after.some(({ status }) => status === 200)) return missed;
      return [`${show(push)} was never read back`];
    });
}

function undead(log: readonly Exchange[]): string[] {
  const pushes = those(log, 'push-manifest');
  const reads = those(log, 'read-manifest');
  return those(log, 'delete-manifest')
    .filter(isDone)
    .flatMap(gone => {
      const again = Math.min(Infinity, ...pushes.filter(one => isOf(one, gone) && one.ended > gone.began).map(({ began }) => began));
      return reads
        .filter(one => isOf(one, gone) && one.status === 200 && one.began > gone.ended && one.ended < again)
        .map(one => `${show(one)} found it after ${show(gone)}`);
    });
}

/** Pushed by whom and acknowledged or not: a manifest that is there is there with all it needs. */
function halves(log: readonly Exchange[]): string[] {
  const pushes = those(log, 'push-manifest');
  const blobs = those(log, 'read-blob').filter(({ standing }) => standing === 'writer');
  const seen = those(log, 'read-manifest').filter(({ status }) => status === 200);
  return seen.flatMap(manifest => {
    const needs = pushes.find(one => isOf(one, manifest))?.about.needs ?? [];
    const missing = blobs.filter(one => one.status === 404 && one.began > manifest.ended && isBlobOf(one, manifest, needs));
    return missing.map(one => `${show(one)} missed a blob of ${manifest.about.digest}`);
  });
}

function isBlobOf({ about }: Of<'read-blob'>, manifest: Of<'read-manifest'>, needs: readonly string[]): boolean {
  return about.repository === manifest.about.repository && needs.includes(about.digest);
}

interface Write {
  readonly value: string | null;
  readonly began: number;
  /** When it was over for certain: Infinity without an acknowledgement. */
  readonly done: number;
}

/** A tag has one writer, who makes one write after the other: each reader sees the last acknowledged one or a later one, and none before what was seen. */
function movedBack(log: readonly Exchange[]): string[] {
  const tags = new Set(those(log, 'push-manifest', 'delete-tag').flatMap(({ about }) => (isVersion(about) ? [] : (tagIn(about) ?? []))));
  return [...tags].flatMap(tag => {
    const writes = those(log, 'push-manifest', 'delete-tag')
      .filter(({ about }) => tagIn(about) === tag)
      .map(writeOf);
    const reads = those(log, 'read-tag').filter(one => tagIn(one.about) === tag && (one.status === 200 || one.status === 404));
    return readsOutOfOrder(
      reads.filter(({ standing }) => standing === 'writer' || standing === 'reader'),
      writes,
    );
  });
}

function readsOutOfOrder(reads: readonly Of<'read-tag'>[], writes: readonly Write[]): string[] {
  const seen: { readonly at: number; readonly ended: number }[] = [];
  const wrong: string[] = [];
  for (const one of reads.toSorted((a, b) => a.began - b.began)) {
    const value = one.status === 200 ? one.told : null;
    const acknowledged = writes.findLastIndex(({ done }) => done < one.began);
    const floor = Math.max(acknowledged, ...seen.filter(({ ended }) => ended < one.began).map(({ at }) => at));
    // Before the first write there is no tag.
    const at =
      floor < 0 && value === null
        ? -1
        : writes.findIndex((write, index) => index >= floor && write.value === value && write.began < one.ended);
    if (at < 0 && !(floor < 0 && value === null)) wrong.push(`${show(one)} saw ${value} after write ${floor}, ${writes[floor]?.value}`);
    else seen.push({ at, ended: one.ended });
  }
  return wrong;
}

function writeOf(one: Of<'push-manifest' | 'delete-tag'>): Write {
  const { about, began, status } = one;
  // A tag that is found missing is as good as deleted.
  const isOver = isDone(one) || (about.act === 'delete-tag' && status === 404);
  return { value: about.act === 'delete-tag' ? null : about.digest, began, done: isOver ? one.ended : Infinity };
}

function changedVersions(log: readonly Exchange[]): string[] {
  const digests = new Map<string, Set<string>>();
  const note = (version: string | undefined, digest: string | null) => {
    if (version !== undefined && digest !== null) digests.set(version, (digests.get(version) ?? new Set()).add(digest));
  };
  const pushes = those(log, 'push-manifest').filter(({ about }) => isVersion(about));
  for (const push of pushes.filter(isDone)) note(versionIn(push.about), push.about.digest);
  const versions = new Set(pushes.map(({ about }) => versionIn(about)));
  for (const { about, status, told } of those(log, 'read-tag')) if (status === 200 && versions.has(tagIn(about))) note(tagIn(about), told);
  return [...digests].filter(([, all]) => all.size > 1).map(([version, all]) => `${version} was ${[...all].join(' and ')}`);
}

/** Nobody but who may push sees a version before a trusted signature of it was sent; strangers never see anything, and partners nothing but packs. */
function leaked(log: readonly Exchange[]): string[] {
  const pushes = those(log, 'push-manifest');
  const packs = pushes.filter(({ about }) => isVersion(about));
  const signedBefore = (digest: string, moment: number) => pushes.some(({ about, began }) => about.signs === digest && began < moment);
  const early = packs.filter(one => isDone(one) && one.state === 'published' && !signedBefore(one.about.digest, one.ended));
  const reads = those(log, 'read-blob', 'read-manifest', 'read-tag').filter(one => one.standing !== 'writer' && one.status === 200);
  const wrong = reads.filter(one => {
    const inPack = packs.some(({ about }) => about.repository === one.about.repository);
    if (one.standing === 'stranger') return true;
    if (!inPack) return one.standing === 'partner';
    // Signatures lie beside their packs and are seen with them.
    const of = pushes.filter(({ about: { digest, needs } }) => digest === one.told || needs.includes(one.told ?? ''));
    const subjects = of.map(({ about }) => about.signs ?? about.digest);
    return !subjects.some(subject => signedBefore(subject, one.ended));
  });
  return [...early.map(one => `${show(one)} was published unsigned`), ...wrong.map(one => `${show(one)} was shown ${one.told}`)];
}

function hidden(log: readonly Exchange[]): string[] {
  const reads = those(log, 'read-manifest').filter(
    ({ standing, status }) => (standing === 'partner' || standing === 'reader') && status === 404,
  );
  const published = those(log, 'push-manifest').filter(one => isDone(one) && one.state === 'published');
  return published.flatMap(push => {
    const digest = push.about.signs ?? push.about.digest;
    const missed = reads.filter(
      ({ about, began }) => about.repository === push.about.repository && about.digest === digest && began > push.ended,
    );
    return missed.map(one => `${show(one)} missed it after ${show(push)}`);
  });
}

function isDone({ status }: Exchange): boolean {
  return status === 201 || status === 202;
}

function isOf({ about: a }: Exchange, { about: b }: Exchange): boolean {
  return 'digest' in a && 'digest' in b && a.repository === b.repository && a.digest === b.digest && isBlob(a) === isBlob(b);
}

function isBlob({ act }: Act): boolean {
  return act === 'push-blob' || act === 'read-blob';
}

function isVersion(about: Act): about is PushedManifest & { readonly version: string } {
  return about.act === 'push-manifest' && about.version !== undefined;
}

function versionIn(about: Act): string | undefined {
  return isVersion(about) ? `${about.repository}:${about.version}` : undefined;
}

function tagIn(about: Act): string | undefined {
  return 'tag' in about && about.tag !== null ? `${about.repository}:${about.tag}` : undefined;
}

function show({ client, about, began }: Exchange): string {
  const name = 'tag' in about && about.tag !== null ? about.tag : 'digest' in about ? about.digest.slice(0, 19) : '';
  return `[${client} at ${Math.round(began)} ms] ${about.act} ${'repository' in about ? about.repository : ''} ${name}`.trimEnd();
}
