import { Type } from '@sinclair/typebox';
import { ChannelSchema, closed, DigestSchema, nullable, PackTypeSchema, TimestampSchema } from '../contract-types';
import { ScanSettingsSchema, SigningPolicySchema } from '../commands/schemas';
import { CHANNEL_EVENTS } from './channel-events';
import { ATTESTATION_EVENTS } from './attestation-events';
import { REFERRER_EVENTS } from './referrer-events';
import { CONTENT_EVENTS } from './content-events';
import { event, type EventContract } from './event-contract';
import { KIT_EVENTS } from './kit-events';
import { SEAL_EVENTS } from './seal-events';
import { SIGNATURE_EVENTS } from './signature-events';
import { MIRROR_EVENTS } from './mirror-events';
import { PARITY_EVENTS } from './parity-events';
import { TRUST_EVENTS } from './trust-events';

export const PackVersionPublished = event('pack.version.published', 'publisher', 'A version was verified and can now be read.', {
  digest: DigestSchema,
  manifestDigest: DigestSchema,
  size: Type.Integer({ minimum: 0 }),
  packType: PackTypeSchema,
  channel: ChannelSchema,
  /** Whether the channel now points at this version; an older version does not move it back. */
  channelMoved: Type.Boolean(),
  tenantVisibility: Type.Array(Type.String()),
  /** Whose signatures of it are valid. */
  signers: Type.Optional(Type.Array(closed({ name: Type.String(), keyId: DigestSchema }))),
  verdictHash: DigestSchema,
  /** Of that verdict. Absent in events of before it was told. */
  verdictOutcome: Type.Optional(Type.Union([Type.Literal('accepted'), Type.Literal('rejected')])),
  /** Whether every scanner that the tenant wants looked at it, some, or none. Absent: none was wanted, or it was not told yet. */
  scanned: Type.Optional(Type.Union([Type.Literal('wholly'), Type.Literal('partly'), Type.Literal('not')])),
  publishedAt: TimestampSchema,
});

export const PackVersionRejected = event(
  'pack.version.rejected',
  'publisher',
  'A publish was refused by the verdict; nothing was stored.',
  {
    digest: DigestSchema,
    channel: ChannelSchema,
    verdictHash: DigestSchema,
    /** Reason codes of the failed checks. */
    reasons: Type.Array(Type.String()),
  },
);

export const PackVersionPending = event(
  'pack.version.pending',
  'publisher',
  'A version passed every check but that of its signatures, and waits for them; nobody but those who push sees it.',
  {
    digest: DigestSchema,
    manifestDigest: DigestSchema,
    channel: ChannelSchema,
    verdictHash: DigestSchema,
    /** Reason codes of the checks it has not passed. */
    reasons: Type.Array(Type.String()),
    expiresAt: TimestampSchema,
  },
);

export const PackVersionExpired = event(
  'pack.version.expired',
  'publisher',
  'A version that waited for its signatures gave its number back.',
  {
    digest: DigestSchema,
    manifestDigest: DigestSchema,
    /** `request`: who pushed it, or may, took it back before its time was up. */
    cause: Type.Union([Type.Literal('time'), Type.Literal('request')]),
    claimedAt: TimestampSchema,
    claimedBy: Type.String(),
  },
);

export const PackVersionDeprecated = event('pack.version.deprecated', 'publisher', 'A version left the default queries.', {
  digest: DigestSchema,
  manifestDigest: DigestSchema,
  reason: nullable(Type.String()),
  replacement: nullable(Type.String()),
  deprecatedAt: TimestampSchema,
});

export const TrustUpdated = event('registry.trust.updated', 'publisher', "A tenant's trusted keys were replaced.", {
  epoch: Type.Integer({ minimum: 1 }),
  digest: DigestSchema,
  keyIds: Type.Array(DigestSchema),
});

export const PolicyUpdated = event('registry.policy.updated', 'publisher', 'A signing policy got a new version.', {
  policy: SigningPolicySchema,
  policyDigest: DigestSchema,
});

export const VisibilityUpdated = event(
  'registry.visibility.updated',
  'publisher',
  'A tenant may share its packs with other tenants than before, or shows another part of its namespace to everybody.',
  {
    shareWith: Type.Array(Type.String()),
    // Absent where a kit changed the list alone, and in events of before there were such policies.
    publicRead: Type.Optional(Type.Boolean()),
    pullByDigestOnly: Type.Optional(Type.Boolean()),
  },
);

export const ScanningUpdated = event(
  'registry.scanning.updated',
  'publisher',
  "A tenant's packs are scanned for other things than before, or more or less urgently.",
  { settings: ScanSettingsSchema },
);

export const EVENTS: readonly EventContract[] = [
  PackVersionPublished,
  PackVersionRejected,
  PackVersionPending,
  PackVersionExpired,
  PackVersionDeprecated,
  TrustUpdated,
  PolicyUpdated,
  VisibilityUpdated,
  ScanningUpdated,
  ...SIGNATURE_EVENTS,
  ...ATTESTATION_EVENTS,
  ...REFERRER_EVENTS,
  ...CHANNEL_EVENTS,
  ...MIRROR_EVENTS,
  ...PARITY_EVENTS,
  ...KIT_EVENTS,
  ...SEAL_EVENTS,
  ...CONTENT_EVENTS,
  ...TRUST_EVENTS,
];
