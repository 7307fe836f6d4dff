import {
  PackAttestationAdded,
  PackAttestationReassessed,
  PackVersionArchived,
  PackVersionDeprecated,
  PackVersionPromoted,
  PackVersionPublished,
  TrustUpdated,
  type EventContract,
  type EventEnvelope,
} from '@packs/contracts';
import { DomainError, parseVersion } from '@packs/domain';
import type { CoverageFact } from '@packs/ports';

/** Proves that data follows its event's contract. */
export type DataCheck = <C extends EventContract>(schema: C['data'], data: unknown, what: string) => C['data']['static'];

interface VersionName {
  readonly packId: string;
  readonly version: string;
}

type Reader = (data: unknown, check: DataCheck) => CoverageFact[];

const SCAN_STATES = { wholly: 'scanned', partly: 'partly-scanned', not: 'not-scanned' } as const;

/** What each type of event says of coverage; every other type says nothing. */
const READERS: Readonly<Record<string, Reader>> = {
  [PackVersionPublished.type]: reading(PackVersionPublished, data => {
    const name = nameOf(data);
    const { packType, publishedAt, signers = [], signatures, channel, channelMoved, scanned = 'not' } = data;
    const published = {
      kind: 'published',
      ...name,
      packType,
      publishedAt,
      signers: signers.map(({ keyId }) => keyId),
      signatures: signatures.length,
      scanState: SCAN_STATES[scanned],
    } as const;
    return channelMoved ? [published, { kind: 'head', ...name, channel }] : [published];
  }),
  [PackVersionPromoted.type]: reading(PackVersionPromoted, data => [{ kind: 'head', ...nameOf(data), channel: data.channel }]),
  [PackVersionDeprecated.type]: reading(PackVersionDeprecated, data => [
    { kind: 'retired', ...nameOf(data), deprecatedAt: data.deprecatedAt, archivedAt: null },
  ]),
  [PackVersionArchived.type]: reading(PackVersionArchived, data => [
    { kind: 'retired', ...nameOf(data), deprecatedAt: data.deprecatedAt, archivedAt: data.archivedAt },
  ]),
  [PackAttestationAdded.type]: reading(PackAttestationAdded, data => [
    {
      kind: 'attested',
      ...nameOf(data),
      digest: data.attestation,
      predicateType: data.predicateType,
      signers: data.signers.map(({ keyId }) => keyId),
    },
  ]),
  [PackAttestationReassessed.type]: reading(PackAttestationReassessed, data => [
    {
      kind: 'reassessed',
      ...nameOf(data),
      digest: data.attestation,
      predicateType: data.predicateType,
      signers: data.signers.map(({ keyId }) => keyId),
      state: data.state,
      seq: data.seq,
      epoch: data.trustEpoch,
    },
  ]),
  [TrustUpdated.type]: reading(TrustUpdated, data => [{ kind: 'trust', epoch: data.epoch, keyIds: data.keyIds }]),
};

/** @throws DomainError ERR_PACK_REQUEST_INVALID for an event that does not follow its contract */
export function coverageFacts({ type, data }: EventEnvelope, check: DataCheck): CoverageFact[] {
  return READERS[type]?.(data, check) ?? [];
}

function reading<C extends EventContract>(contract: C, facts: (data: C['data']['static']) => CoverageFact[]): Reader {
  return (data, check) => facts(check<C>(contract.data, data, `the data of ${contract.type}`));
}

function nameOf({ packId, version }: { packId: string | null; version: string | null }): VersionName {
  if (packId === null || version === null) throw new DomainError('ERR_PACK_REQUEST_INVALID', 'the event names no version');
  return { packId, version: parseVersion(version) };
}
