import { Clock } from '@packs/ports';

/** Stands still until it is moved. */
export class FixedClock extends Clock {
  private time: number;

  constructor(at = '2026-01-17T08:00:00.000Z') {
    super();
    this.time = Date.parse(at);
  }

  now(): Date {
    return new Date(this.time);
  }

  advance(ms: number): void {
    this.time += ms;
  }
}
