import { DEFAULT_SCANNING, sha256, type SigningPolicy } from '@packs/domain';
import { RegistryUnitOfWork, type RegistryTx, type TrustState } from '@packs/ports';
import { judgeAndCommit } from './judge-and-commit';

const POLICY: SigningPolicy = { name: 'default', version: 1, rule: { keyRef: 'release' }, unsigned: 'reject' };
const TRUST: TrustState = {
  epoch: 1,
  digest: sha256('keys'),
  material: null,
  policies: [POLICY],
  shareWith: [],
  scanning: DEFAULT_SCANNING,
};

/** Each transaction finds the next of the states it is given, and the last one from then on. */
class Transactions extends RegistryUnitOfWork {
  readonly locks: string[] = [];

  constructor(private readonly states: TrustState[]) {
    super();
  }

  run<T>(_tenant: string, work: (tx: RegistryTx) => Promise<T>): Promise<T> {
    const state = (_: string, lock: string) => {
      this.locks.push(lock);
      return Promise.resolve(this.states.length > 1 ? this.states.shift() : this.states[0]);
    };
    return work({ trust: { state } } as unknown as RegistryTx);
  }
}

function setUp(...states: TrustState[]) {
  const transactions = new Transactions(states);
  const judged: TrustState[] = [];
  const work = {
    tenant: 'acme',
    trust: TRUST,
    judge: (trust: TrustState) => {
      judged.push(trust);
      return Promise.resolve({ judged: `under epoch ${trust.epoch}` });
    },
    commit: (_tx: RegistryTx, verdict: string, trust: TrustState) => Promise.resolve(`${verdict}, in epoch ${trust.epoch}`),
  };
  return { transactions, judged, work };
}

describe('judgeAndCommit', () => {
  it('commits under the trust it judged by, held in share', async () => {
    const { transactions, judged, work } = setUp({ ...TRUST });
    expect(await judgeAndCommit(transactions, work)).toBe('under epoch 1, in epoch 1');
    expect(judged).toEqual([TRUST]);
    expect(transactions.locks).toEqual(['share']);
  });

  it.each<[string, Partial<TrustState>]>([
    ['epoch', { epoch: 2 }],
    ['material', { digest: sha256('other keys') }],
    ['policies', { policies: [{ ...POLICY, version: 2 }] }],
    ['scans', { scanning: { ...DEFAULT_SCANNING, malware: 'required' } }],
  ])('judges again when the %s differ', async (_, change) => {
    const changed = { ...TRUST, ...change };
    const { transactions, judged, work } = setUp(changed);
    await judgeAndCommit(transactions, work);
    expect(judged).toEqual([TRUST, changed]);
  });

  it('does not care about what no verdict leans on', async () => {
    const { transactions, judged, work } = setUp({ ...TRUST, shareWith: ['globex'] });
    await judgeAndCommit(transactions, work);
    expect(judged).toHaveLength(1);
  });

  it('commits nothing for work that is done without', async () => {
    const { transactions, work } = setUp(TRUST);
    const done = judgeAndCommit(transactions, { ...work, judge: () => Promise.resolve({ done: 'refused' }) });
    expect(await done).toBe('refused');
    expect(transactions.locks).toEqual([]);
  });

  it('gives up, to be asked again later, when trust changes every time', async () => {
    const { transactions, judged, work } = setUp(...Array.from({ length: 9 }, (_, at) => ({ ...TRUST, epoch: at + 2 })));
    await expect(judgeAndCommit(transactions, work)).rejects.toMatchObject({ code: 'ERR_PACK_CONFLICT', retry: 'later' });
    expect(judged.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
  });
});
