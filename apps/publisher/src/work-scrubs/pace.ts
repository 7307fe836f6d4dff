/** A turn that comes late may make up for so much. */
const LATE_MS = 20;

/** So many bytes a second and no more, in each second: time that nothing was read in is not made up for. */
export class Pace {
  private due = 0;

  constructor(private readonly bytesPerSecond: number) {}

  /** Some bytes were read. @returns when it may go on, on the clock of `now` */
  after(bytes: number, now: number): number {
    this.due = Math.max(this.due, now - LATE_MS) + (bytes / this.bytesPerSecond) * 1000;
    return this.due;
  }
}
