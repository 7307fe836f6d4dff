import { SealSchema, UnsealRequestSchema } from '../seal';
import { event, type EventContract } from './event-contract';

/** The new state, which every event of the seal tells whole. */
const state = { seal: SealSchema };

export const RegistrySealed = event(
  'registry.sealed',
  'publisher',
  'A tenant was sealed, or its open request to unseal was taken back: nothing but kit imports changes its content.',
  state,
);

export const UnsealRequested = event(
  'registry.unseal.requested',
  'publisher',
  'Somebody asked to unseal a tenant; two others have to approve it.',
  state,
);

export const UnsealApproved = event(
  'registry.unseal.approved',
  'publisher',
  'A request to unseal got an approval that is not its last.',
  state,
);

export const RegistryUnsealed = event('registry.unsealed', 'publisher', 'A tenant was unsealed by the last approval needed.', {
  ...state,
  /** The request with every approval. */
  request: UnsealRequestSchema,
});

export const SEAL_EVENTS: readonly EventContract[] = [RegistrySealed, UnsealRequested, UnsealApproved, RegistryUnsealed];
