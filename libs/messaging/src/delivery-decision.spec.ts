import { DomainError } from '@packs/domain';
import { decideDelivery, MAX_ATTEMPTS } from './delivery-decision';

const down = new DomainError('ERR_PACK_UNAVAILABLE', 'the database is not available', { retry: 'later' });
const refused = new DomainError('ERR_PACK_REQUEST_INVALID', 'the message is not JSON');
const unforeseen = new TypeError('x is not a function');

describe('decideDelivery', () => {
  it.each([
    ['no error', undefined, 1, { kind: 'ack' }],
    ['no error after many attempts', undefined, 1000, { kind: 'ack' }],
    ['a part that is down', down, 1, { kind: 'retry', delayMs: 200 }],
    ['a part that is still down', down, 2, { kind: 'retry', delayMs: 400 }],
    ['a part that is down for long', down, 1000, { kind: 'retry', delayMs: 30_000 }],
    ['a refusal', refused, 1, { kind: 'dead', reason: 'ERR_PACK_REQUEST_INVALID: the message is not JSON' }],
    ['an unforeseen error', unforeseen, 1, { kind: 'retry', delayMs: 200 }],
    ['an unforeseen error, the last time', unforeseen, MAX_ATTEMPTS - 1, { kind: 'retry', delayMs: 12_800 }],
    ['an unforeseen error too often', unforeseen, MAX_ATTEMPTS, { kind: 'dead', reason: 'TypeError: x is not a function' }],
    ['something thrown that is no error', 'oops', MAX_ATTEMPTS, { kind: 'dead', reason: 'oops' }],
    ['null thrown', null, MAX_ATTEMPTS, { kind: 'dead', reason: 'null' }],
  ])('on %s (attempt %#)', (_, error, attempt, decision) => {
    expect(decideDelivery(error, attempt)).toEqual(decision);
  });

  it('waits longer each time, up to half a minute', () => {
    const delays = Array.from({ length: 12 }, (_, at) => decideDelivery(down, at + 1)).map(decision =>
      'delayMs' in decision ? decision.delayMs : -1,
    );
    expect(delays).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000, 30_000]);
  });
});
