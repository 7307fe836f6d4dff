/** A failure the user can act on: which step, why, and what to do. */
export class StepError extends Error {
  readonly remedy: string;

  constructor(message: string, remedy: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'StepError';
    this.remedy = remedy;
  }
}
