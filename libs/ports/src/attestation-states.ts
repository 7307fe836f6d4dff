import type { AttestationMediaType, AttestationState, Digest, SigningPolicy, Verdict } from '@packs/domain';
import type { RecordedAttestation } from './attestation-store';
import type { BlobRef } from './blob-store';

export interface AttestationName {
  readonly tenant: string;
  readonly packId: string;
  readonly version: string;
  /** Of the document. */
  readonly digest: Digest;
}

/** A recorded statement with what judging it again takes. */
export interface StandingAttestation {
  readonly recorded: RecordedAttestation;
  readonly document: BlobRef & { readonly mediaType: AttestationMediaType };
  /** The policy that accepted it: a later policy speaks of what is added later. */
  readonly policy: SigningPolicy | null;
  readonly assessedEpoch: number;
}

/** A statement that was taken although nobody who is trusted has signed it. */
export interface ProvisionalAttestation extends AttestationName {
  readonly document: BlobRef & { readonly mediaType: AttestationMediaType };
  /** What the document says, which nobody vouches for. */
  readonly predicateType: string;
  readonly reason: string | null;
  readonly verdictHash: Digest;
  readonly addedAt: string;
  readonly addedBy: string;
  readonly source: string | null;
}

export interface StateChange {
  readonly state: AttestationState;
  readonly reason: string | null;
  /** Null where a person decided. */
  readonly judged: { readonly verdict: Verdict; readonly hash: Digest } | null;
  readonly at: string;
  readonly by: string;
}

/** What a tenant's statements were last judged by has changed. */
export interface AssessmentDue {
  readonly tenant: string;
  readonly changes: string;
}

/** How far statements are believed. Writers hold the lock of the pack. */
export abstract class AttestationStates {
  abstract standing(name: AttestationName): Promise<StandingAttestation | undefined>;
  /** Writes a recorded statement's new state and its history. @returns the number of the change */
  abstract change(name: AttestationName, change: StateChange): Promise<number>;
  /** Its state is that of this epoch as well. */
  abstract assessed(name: AttestationName, epoch: number): Promise<void>;
  abstract provisional(name: AttestationName): Promise<ProvisionalAttestation | undefined>;
  /** @returns whether it is new; of one that is there, reason, verdict and basis are replaced */
  abstract keep(attestation: ProvisionalAttestation, verdict: Verdict, basis: Digest): Promise<boolean>;
  /** The statement is recorded now, or no longer waits. */
  abstract forget(name: AttestationName): Promise<void>;
  /** Tenants with something to judge again, of all tenants: asked as none. */
  abstract due(limit: number): Promise<readonly AssessmentDue[]>;
  /** Recorded statements not judged under the epoch, and provisional ones not judged by the basis. */
  abstract stale(
    tenant: string,
    epoch: number,
    basis: Digest,
    limit: number,
  ): Promise<readonly (AttestationName & { readonly recorded: boolean })[]>;
  /** Nothing is due, unless something has changed since. */
  abstract settle(due: AssessmentDue): Promise<void>;
}
