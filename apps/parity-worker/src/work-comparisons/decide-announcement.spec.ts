import { noCounts, type ParityCounts, type ParityState } from '@packs/contracts';
import { decideAnnouncement } from './decide-announcement';

const counts = (changes: Partial<ParityCounts>): ParityCounts => ({ ...noCounts(), 'in-step': 3, ...changes });

describe('what a comparison makes known', () => {
  it.each<[string, Partial<ParityCounts>, ParityState[], number, 'drift' | 'restored' | null, number]>([
    ['nothing while a mirror stays in step', {}, [], 1, null, 2],
    ['drift when it goes out of step', { missing: 1 }, [], 1, 'drift', 2],
    ['nothing while it stays so', { missing: 2 }, ['missing'], 1, null, 1],
    ['drift when another kind of difference comes', { missing: 1, 'different-digest': 1 }, ['missing'], 2, 'drift', 2],
    ['nothing when one of two kinds goes', { missing: 1 }, ['missing', 'extra'], 1, null, 1],
    ['nothing while altered bytes wait for a sync', { 'different-digest': 1 }, ['different-digest'], 2, null, 2],
    ['drift when a sync has not mended them', { 'different-digest': 1 }, ['different-digest'], 1, 'drift', 2],
    ['that it is in step again', {}, ['extra'], 1, 'restored', 2],
  ])('is %s', (_, found, before, beforeSeq, kind, seq) => {
    const decided = decideAnnouncement(counts(found), { kinds: before, seq: beforeSeq }, 2);
    expect(decided).toMatchObject({ kind, announced: { seq } });
    expect(decided.announced.kinds.toSorted()).toEqual(Object.keys(found).toSorted());
  });
});
