import { DomainError } from '@packs/domain';
import type { BatchOptions } from './batched';
import { isCancelled } from './sql-state';

/** How records of small content share statements, a tenant's with his own. */
export const SMALL_WRITES: Omit<BatchOptions<never>, 'groupOf'> = {
  lanes: 4,
  lanesOfGroup: 2,
  slowMs: 20,
  most: 64,
  // An answer that was lost is the caller's to ask for again, with what he knows of the time he has; and what took all the time of a statement would take that
  // of as many statements as there are questions.
  isOwnFault: error => !(error instanceof DomainError) && !isCancelled(error),
};
