import { DomainError } from '@packs/domain';

export interface JobLimits {
  readonly leaseMs: number;
  readonly runDeadlineMs: number;
  readonly attempts: number;
}

/** What one attempt at a job may take. */
export function attemptTimes({ leaseMs, runDeadlineMs }: JobLimits) {
  const minutes = Math.round(runDeadlineMs / 60_000);
  const reason = new DomainError('ERR_MIRROR_DEADLINE', `the attempt was not done within ${minutes} minutes`, { retry: 'later' });
  return { leaseMs, deadline: { ms: runDeadlineMs, reason } };
}
