import {
  newEvent,
  PackAttestationAdded,
  PackAttestationReassessed,
  PackVersionArchived,
  PackVersionDeprecated,
  PackVersionPromoted,
  PackVersionPublished,
  TrustUpdated,
  type EventEnvelope,
} from '@packs/contracts';
import { MEDIA_TYPES, sha256, type AttestationState, type PackType } from '@packs/domain';

const START = Date.parse('2026-01-17T08:00:00.000Z');
const SLSA = 'https://slsa.dev/provenance/v1';

/** What a tenant's publisher says, one second after the other. */
export class SpecHistory {
  readonly events: EventEnvelope[] = [];

  constructor(readonly tenant: string) {}

  trust(...keys: readonly string[]): this {
    const epoch = this.events.filter(event => event.type === TrustUpdated.type).length + 1;
    const data = { ...this.origin(null, null), epoch, digest: sha256(`trust ${epoch}`), keyIds: keys.map(key => sha256(key)) };
    return this.add(newEvent(TrustUpdated, data, this.now()));
  }

  publish(
    packId: string,
    version: string,
    {
      signers = ['release'],
      packType = 'task' as PackType,
      channel = 'edge',
      moved = true,
      scanned = undefined as 'wholly' | 'partly' | 'not' | undefined,
    } = {},
  ): this {
    const at = this.now();
    const data = {
      ...this.origin(packId, version),
      ...this.digests(packId, version),
      size: 100,
      packType,
      channel,
      channelMoved: moved,
      tenantVisibility: [],
      signatures: signers.map(signer => sha256(`${signer} signed ${packId} ${version}`)),
      signers: signers.map(name => ({ name, keyId: sha256(name) })),
      verdictHash: sha256('verdict'),
      ...(scanned && { scanned }),
      publishedAt: at.toISOString(),
    };
    return this.add(newEvent(PackVersionPublished, data, at));
  }

  promote(packId: string, version: string, channel: string): this {
    const at = this.now();
    const change = { channel, from: null, previousVersion: null, verdictHash: sha256('verdict'), promotedAt: at.toISOString() };
    return this.add(newEvent(PackVersionPromoted, { ...this.origin(packId, version), ...this.digests(packId, version), ...change }, at));
  }

  deprecate(packId: string, version: string): this {
    const at = this.now();
    const change = { reason: null, replacement: null, deprecatedAt: at.toISOString() };
    return this.add(newEvent(PackVersionDeprecated, { ...this.origin(packId, version), ...this.digests(packId, version), ...change }, at));
  }

  archive(packId: string, version: string): this {
    const at = this.now();
    const earlier = this.events.find(
      ({ type, data }) => type === PackVersionDeprecated.type && data.packId === packId && data.version === version,
    );
    const change = { reason: null, replacement: null, deprecatedAt: earlier?.time ?? at.toISOString(), archivedAt: at.toISOString() };
    return this.add(newEvent(PackVersionArchived, { ...this.origin(packId, version), ...this.digests(packId, version), ...change }, at));
  }

  attest(packId: string, version: string, predicateType = SLSA, signer = 'builder'): this {
    const at = this.now();
    const attestation = sha256(`${signer} attests ${predicateType} of ${packId} ${version}`);
    const data = {
      ...this.origin(packId, version),
      ...this.digests(packId, version),
      attestation,
      mediaType: MEDIA_TYPES.dsseEnvelope,
      size: 10,
      referrer: sha256(`${attestation} carried`),
      predicateType,
      signers: [{ name: signer, keyId: sha256(signer) }],
      verdictHash: sha256('verdict'),
      addedAt: at.toISOString(),
    };
    return this.add(newEvent(PackAttestationAdded, data, at));
  }

  /** The newest statement of its kind by the signer is believed otherwise. */
  reassess(packId: string, version: string, state: AttestationState, seq: number, trustEpoch: number | null = null): this {
    const at = this.now();
    const attestation = sha256(`builder attests ${SLSA} of ${packId} ${version}`);
    const data = {
      ...this.origin(packId, version),
      ...this.digests(packId, version),
      attestation,
      predicateType: SLSA,
      signers: [{ name: 'builder', keyId: sha256('builder') }],
      previousState: 'verified' as const,
      ...{ state, seq, trustEpoch },
      reason: 'said so',
      verdictHash: trustEpoch === null ? null : sha256('verdict'),
      reassessedAt: at.toISOString(),
    };
    return this.add(newEvent(PackAttestationReassessed, data, at));
  }

  private add(event: EventEnvelope): this {
    this.events.push(event);
    return this;
  }

  private now(): Date {
    return new Date(START + this.events.length * 1000);
  }

  private origin(packId: string | null, version: string | null) {
    return { packId, version, actor: 'user:alice', tenant: this.tenant, source: null, signatures: [], metadataHash: sha256('state') };
  }

  private digests(packId: string, version: string) {
    return { digest: sha256(`bundle ${packId} ${version}`), manifestDigest: sha256(`manifest ${packId} ${version}`) };
  }
}

/** A tenant with a bit of everything. */
export function aHistory(tenant: string): SpecHistory {
  return new SpecHistory(tenant)
    .trust('release', 'builder')
    .publish('acme.build', '1.0.0')
    .attest('acme.build', '1.0.0')
    .publish('acme.build', '1.1.0', { scanned: 'wholly' })
    .attest('acme.build', '1.1.0')
    .attest('acme.build', '1.1.0', 'https://cyclonedx.org/bom')
    .promote('acme.build', '1.0.0', 'stable')
    .deprecate('acme.build', '1.0.0')
    .publish('acme.policy', '2.0.0', { packType: 'policy', signers: [], scanned: 'partly' })
    .publish('acme.policy', '1.9.0', { packType: 'policy', signers: ['retired'], moved: false })
    .attest('acme.policy', '1.9.0', 'https://slsa.dev/vsa/v1', 'retired')
    .promote('acme.build', '1.1.0', 'stable')
    .archive('acme.build', '1.0.0');
}
