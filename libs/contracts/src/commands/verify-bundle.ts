import { Type, type Static } from '@sinclair/typebox';
import { SCANNERS, type SigningPolicy } from '@packs/domain';
import {
  AttestationRefSchema,
  BlobRefSchema,
  ChannelSchema,
  closed,
  DigestSchema,
  nullable,
  PackIdSchema,
  PackTypeSchema,
  SignatureRefSchema,
  StoredBlobSchema,
  TenantSchema,
  TimestampSchema,
  VersionSchema,
} from '../contract-types';
import { command } from './command-contract';
import { ScanSettingsSchema, SigningPolicySchema, TrustRefSchema, VerdictFaultSchema, VerdictSchema } from './schemas';

const VerifiedPackSchema = closed({
  /** The stored config of a pack that was accepted or may wait for signatures, unless it came with its own. */
  config: nullable(StoredBlobSchema),
  packId: PackIdSchema,
  version: VersionSchema,
  type: PackTypeSchema,
});

/** Attestations of one version that are looked at for its policy. */
export const MAX_JUDGED_ATTESTATIONS = 32;

type AttestationRef = Static<typeof AttestationRefSchema>;

/**
 * What a question tells of a version's attestations, newest first: those that one of the policies asks for, and nothing where none does. Of each type
 * there are as many as of any other while it has some, so that none is crowded out by newer ones of another.
 */
export function judgedAttestations(
  policies: readonly SigningPolicy[],
  attestations: readonly (AttestationRef & { readonly predicateType: string })[],
): { attestations?: AttestationRef[] } {
  const wanted = new Set(policies.flatMap(({ require }) => require?.attestations?.map(({ predicateType }) => predicateType) ?? []));
  const found = inTurns(attestations.filter(({ predicateType }) => wanted.has(predicateType)));
  if (found.length === 0) return {};
  return { attestations: found.map(({ digest, size, objectKey, mediaType }) => ({ digest, size, objectKey, mediaType })) };
}

/** The newest of each type, then the next of each, until all places are taken; in the order they came in. */
function inTurns<T extends { readonly predicateType: string }>(attestations: readonly T[]): T[] {
  const turns = [...Map.groupBy(attestations, ({ predicateType }) => predicateType).values()]
    .flatMap(ofType => ofType.map((attestation, turn) => ({ attestation, turn })))
    .toSorted((a, b) => a.turn - b.turn);
  const taken = new Set(turns.slice(0, MAX_JUDGED_ATTESTATIONS).map(({ attestation }) => attestation));
  return attestations.filter(attestation => taken.has(attestation));
}

/** How long a verification of this many bytes may take: a lost verifier is noticed soon when the bundle is small. */
export function verifyTimeoutMs(bytes: number): number {
  return Math.min(VerifyBundle.timeoutMs, 5_000 + bytes / 5_000);
}

/** Asks whether a bundle may be published. A rejected bundle is a normal answer. */
export const VerifyBundle = command({
  subject: 'cmd.verifier.verify-bundle',
  timeoutMs: 90_000,
  request: closed({
    tenant: TenantSchema,
    /** What the request claims the bundle holds; null claims nothing. */
    packId: nullable(PackIdSchema),
    version: nullable(VersionSchema),
    channel: ChannelSchema,
    bundle: BlobRefSchema,
    /** The OCI manifest it came with: it has to be one of this bundle, and may be what was signed. */
    manifest: Type.Optional(BlobRefSchema),
    signatures: Type.Array(SignatureRefSchema, { maxItems: 64 }),
    /** Of it, for the policy that asks for some; absent: none. */
    attestations: Type.Optional(Type.Array(AttestationRefSchema, { maxItems: MAX_JUDGED_ATTESTATIONS })),
    /** The tenant's active policies; the verifier selects once it knows the pack's type. */
    policies: Type.Array(SigningPolicySchema, { maxItems: 64 }),
    trust: TrustRefSchema,
    /** What has to be looked for in the files, and how urgently; absent, as before there were scanners: nothing. */
    scanning: Type.Optional(ScanSettingsSchema),
    evaluatedAt: TimestampSchema,
  }),
  reply: closed({
    verdict: VerdictSchema,
    verdictHash: DigestSchema,
    faults: Type.Array(VerdictFaultSchema),
    /** Null when the manifest could not be read. */
    pack: nullable(VerifiedPackSchema),
    /** The stored reports that checks `scan` name, to be recorded with the verdict; absent: none. */
    scanReports: Type.Optional(Type.Array(StoredBlobSchema, { maxItems: SCANNERS.length })),
  }),
});
export type VerifyBundleRequest = Static<typeof VerifyBundle.request>;
export type VerifyBundleReply = Static<typeof VerifyBundle.reply>;

/** Asks whether stored signatures still satisfy the tenant's policy under its current trust. */
export const ReverifyVersion = command({
  subject: 'cmd.verifier.reverify-version',
  timeoutMs: 60_000,
  request: closed({
    tenant: TenantSchema,
    channel: ChannelSchema,
    packType: PackTypeSchema,
    bundle: BlobRefSchema,
    /** Its OCI manifest: what was signed may be that. */
    manifest: Type.Optional(BlobRefSchema),
    signatures: Type.Array(SignatureRefSchema, { maxItems: 64 }),
    /** Of it, for the policy that asks for some; absent: none. */
    attestations: Type.Optional(Type.Array(AttestationRefSchema, { maxItems: MAX_JUDGED_ATTESTATIONS })),
    policies: Type.Array(SigningPolicySchema, { maxItems: 64 }),
    trust: TrustRefSchema,
    evaluatedAt: TimestampSchema,
  }),
  reply: closed({ verdict: VerdictSchema, verdictHash: DigestSchema, faults: Type.Array(VerdictFaultSchema) }),
});
export type ReverifyVersionRequest = Static<typeof ReverifyVersion.request>;
export type ReverifyVersionReply = Static<typeof ReverifyVersion.reply>;
