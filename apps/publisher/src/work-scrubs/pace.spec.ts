import { Pace } from './pace';

const KIB = 1024;

/** Reads 1 KiB as often as it may, each read taking no time, and tells when each was. */
function readFrom(pace: Pace, from: number, reads: number): number[] {
  const times: number[] = [];
  for (let now = from; times.length < reads; now = Math.max(now, pace.after(KIB, now))) times.push(now);
  return times;
}

describe('Pace', () => {
  it('spreads bytes evenly over a second', () => {
    const times = readFrom(new Pace(10 * KIB), 1_000_000, 11);
    // The first has 20 ms in hand.
    expect(times[10]).toBe(1_000_980);
  });

  it('does not make up for a time in which nothing was read', () => {
    const pace = new Pace(10 * KIB);
    readFrom(pace, 1_000_000, 5);
    const afterAnHour = readFrom(pace, 4_600_000, 12);
    const within = afterAnHour.filter(at => at < 4_601_000);
    expect(within).toHaveLength(11);
  });
});
