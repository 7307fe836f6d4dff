import { sha256 } from '@packs/domain';
import type { ReadChange, RepositoryView } from '@packs/ports';
import { KeptAnswers, type Found } from './kept-answers';
import { ScriptedReadChanges, turns } from './kept-answers.fixture';

const VIEW: RepositoryView = { tenant: 'acme', namespace: 'acme', repository: 'app', mayPush: false };
const EVERYTHING: ReadChange = { tenant: null, repository: null, reference: null };
const about = (change: Partial<ReadChange>): ReadChange => ({ tenant: 'acme', repository: 'app', reference: null, ...change });
const found = (answer: string, lasts = true): Found<string> => ({ answer, digest: sha256(answer), lasts, bytes: 10 });

describe('KeptAnswers', () => {
  let changes: ScriptedReadChanges;
  let kept: KeptAnswers<string>;
  let asked: string[];
  beforeEach(async () => {
    changes = new ScriptedReadChanges();
    const barrier = changes.barrier();
    kept = new KeptAnswers(barrier, 1024 ** 2);
    asked = [];
    barrier.watches();
    await turns();
  });

  /** Asks, lets a look find `meanwhile` where there is one, and says what was answered. */
  async function ask(reference: string, answer: string, { view = {}, meanwhile = [] as ReadChange[], lasts = true } = {}): Promise<string> {
    const looks = changes.looks.length;
    const answered = kept.of({ ...VIEW, ...view }, reference, async () => {
      asked.push(reference);
      return found(answer, lasts);
    });
    await turns();
    if (changes.looks.length > looks) await changes.last.find(...meanwhile);
    return answered;
  }

  it('asks once, and gives what is kept after a look', async () => {
    expect([await ask('latest', 'one'), changes.looks.length]).toEqual(['one', 0]);
    expect([await ask('latest', 'two'), changes.looks.length]).toEqual(['one', 1]);
    expect(asked).toEqual(['latest']);
  });

  it.each<[string, Partial<RepositoryView>]>([
    ['another tenant', { tenant: 'globex' }],
    ['somebody who may push', { mayPush: true }],
    ['another namespace', { namespace: 'globex' }],
    ['another repository', { repository: 'app/x' }],
  ])('gives %s nothing that others were found to get', async (_, view) => {
    await ask('latest', 'one');
    expect(await ask('latest', 'two', { view })).toBe('two');
    expect(await ask('latest', 'three')).toBe('one');
  });

  it('keeps nothing that does not last, and no failure', async () => {
    await ask('latest', 'pending', { lasts: false });
    expect(await ask('latest', 'published')).toBe('published');
    const failing = kept.of(VIEW, 'none', () => Promise.reject(new Error('unknown')));
    await expect(failing).rejects.toThrow('unknown');
    expect(await ask('none', 'there now')).toBe('there now');
  });

  it.each<[string, Partial<ReadChange>]>([
    ['everything', EVERYTHING],
    ['the tenant', { repository: null }],
    ['the repository', {}],
    ['the tag', { reference: 'latest' }],
    ['the digest, here', { reference: sha256('one') }],
    ['the digest, anywhere', { ...EVERYTHING, reference: sha256('one') }],
  ])('forgets an answer when a look finds a change of %s', async (_, change) => {
    await ask('latest', 'one');
    expect(await ask('latest', 'two', { meanwhile: [about(change)] })).toBe('two');
  });

  it.each<[string, Partial<ReadChange>]>([
    ['another tenant', { tenant: 'globex', repository: null }],
    ['a repository of that name elsewhere', { tenant: 'globex' }],
    ['another repository', { repository: 'app/x' }],
    ['another tag', { reference: 'v2' }],
    ['another digest', { ...EVERYTHING, reference: sha256('two') }],
  ])('keeps it when what changed is %s', async (_, change) => {
    await ask('latest', 'one');
    expect(await ask('latest', 'two', { meanwhile: [about(change)] })).toBe('one');
    expect(asked).toEqual(['latest']);
  });

  it('does not keep an answer while whose question was under way something was changed', async () => {
    await ask('stays', 'there');
    const answer = Promise.withResolvers<Found<string>>();
    const asking = kept.of(VIEW, 'latest', () => answer.promise);
    // Somebody else's look finds the change, the answer still tells of before.
    await ask('stays', 'there', { meanwhile: [about({ reference: 'latest' })] });
    answer.resolve(found('before'));
    expect(await asking).toBe('before');
    expect(await ask('latest', 'after')).toBe('after');
  });

  it('keeps it when what was changed meanwhile is elsewhere', async () => {
    await ask('stays', 'there');
    const answer = Promise.withResolvers<Found<string>>();
    const asking = kept.of(VIEW, 'latest', () => answer.promise);
    await ask('stays', 'there', { meanwhile: [about({ repository: 'other' })] });
    answer.resolve(found('one'));
    await asking;
    expect(await ask('latest', 'two')).toBe('one');
  });

  it('gives nothing of what was kept, or asked for, before a connection was lost', async () => {
    await ask('latest', 'one');
    const answer = Promise.withResolvers<Found<string>>();
    const asking = kept.of(VIEW, 'v2', () => answer.promise);
    const reading = kept.of(VIEW, 'latest', async () => found('two'));
    await turns();
    await changes.last.fail();
    expect(await reading).toBe('two');
    answer.resolve(found('before'));
    await asking;
    expect(await ask('v2', 'after')).toBe('after');
    expect(await ask('latest', 'three')).toBe('three');
  });

  it('keeps nothing while nothing is watched', async () => {
    const other = new ScriptedReadChanges();
    other.refuses = true;
    const unwatched = new KeptAnswers<string>(other.barrier(), 1024 ** 2);
    for (const answer of ['one', 'two']) expect(await unwatched.of(VIEW, 'latest', async () => found(answer))).toBe(answer);
  });

  it('makes room for what is asked for by forgetting what was asked for longest ago', async () => {
    const barrier = changes.barrier();
    const roomy = new KeptAnswers<string>(barrier, 4 * 1_100);
    barrier.watches();
    await turns();
    for (let n = 0; n < 6; n++) await roomy.of(VIEW, `v${n}`, async () => found(`v${n}`));
    const looks = changes.looks.length;
    expect(await roomy.of(VIEW, 'v0', async () => found('asked again'))).toBe('asked again');
    expect(changes.looks).toHaveLength(looks);
  });
});
