/** A job that one worker holds: nobody else works on it while its lease is renewed in time. */
export interface Lease {
  readonly id: string;
  readonly owner: string;
}

/** The job is another's by now, or was ended. */
export class LeaseLost extends Error {
  constructor({ id, owner }: Lease) {
    super(`job ${id} is no longer held by ${owner}`);
    this.name = 'LeaseLost';
  }
}
