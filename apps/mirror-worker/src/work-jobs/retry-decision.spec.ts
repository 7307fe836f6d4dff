import { DomainError } from '@packs/domain';
import { decideRetry } from './retry-decision';

const full = new DomainError('ERR_MIRROR_TARGET_FULL', 'no room', { retry: 'later' });

describe('decideRetry', () => {
  it('waits longer from attempt to attempt, up to five minutes', () => {
    const delays = Array.from({ length: 12 }, (_, at) => decideRetry(full, at + 1, 100)).map(one =>
      one.kind === 'retry' ? one.delayMs : null,
    );
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map(seconds => seconds * 1_000));
  });

  it('gives a target so many attempts', () => {
    expect(decideRetry(full, 7, 8).kind).toBe('retry');
    expect(decideRetry(full, 8, 8)).toEqual({ kind: 'fail', fault: { code: 'ERR_MIRROR_TARGET_FULL', message: 'no room' } });
  });

  it('waits without end for a part of the registry that is down', () => {
    const down = new DomainError('ERR_PACK_UNAVAILABLE', 'the database is not available', { retry: 'later' });
    expect(decideRetry(down, 1_000, 8)).toMatchObject({ kind: 'retry', delayMs: 300_000 });
  });

  it('takes a refusal as final at once', () => {
    expect(decideRetry(new DomainError('ERR_MIRROR_TARGET_INVALID', 'leads elsewhere'), 1, 8).kind).toBe('fail');
  });

  it('tries what nobody foresaw again, and shows nothing of it', () => {
    expect(decideRetry(new Error('password=secret'), 1, 8)).toMatchObject({
      kind: 'retry',
      fault: { code: 'ERR_PACK_INTERNAL', message: 'internal error' },
    });
  });
});
