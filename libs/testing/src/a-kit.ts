import { KIT_SCHEMA, type KitManifest, type KitVersion } from '@packs/contracts';
import {
  canonicalJson,
  EMPTY_JSON,
  encodeAttestationManifest,
  encodePackConfig,
  encodePackManifest,
  encodeSignatureManifest,
  MEDIA_TYPES,
  packTypeOf,
  policyDigest,
  sha256,
  verdictHash,
  type Digest,
  type PackManifest,
  type SigningPolicy,
  type Verdict,
} from '@packs/domain';
import { kitBytes } from '@packs/pack-format';
import { encodeTrustMaterial } from '@packs/sigstore';
import { aPack } from './a-pack';
import { aSigner, type EphemeralSigner } from './ephemeral-signer';

export interface KitPack {
  readonly packId?: string;
  readonly version?: string;
  /** Default: some bytes that are no tar. */
  readonly bundle?: Buffer;
  readonly manifest?: PackManifest;
  readonly changes?: Partial<KitVersion>;
  readonly attestation?: Buffer;
}

export interface KitChanges {
  readonly packs?: readonly KitPack[];
  readonly signer?: EphemeralSigner;
  readonly changes?: Partial<KitManifest>;
}

export interface TestKit {
  readonly manifest: KitManifest;
  readonly blobs: ReadonlyMap<Digest, Buffer>;
  readonly signer: EphemeralSigner;
  bytes(manifest?: KitManifest, blobs?: ReadonlyMap<Digest, Buffer>): Promise<Buffer>;
}

const AT = '2026-01-17T08:00:00.000Z';
export const KIT_LOG: Digest = sha256('the log of acme');
const POLICY: SigningPolicy = { name: 'default', version: 1, rule: { keyRef: 'release' }, unsigned: 'reject' };

/** A small kit of tenant `acme`, as of `seq` 7, with one signed version of each pack. */
export async function aKit({ packs = [{}], signer = aSigner('release'), changes = {} }: KitChanges = {}): Promise<TestKit> {
  const blobs = new Map<Digest, Buffer>();
  const put = (mediaType: string, bytes: Buffer) => {
    const digest = sha256(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const trust = put('application/vnd.stellaops.pack.trust.v1+json', encodeTrustMaterial({ keys: [signer.key] }));
  const policy = put('application/vnd.stellaops.pack.policy.v1+json', Buffer.from(canonicalJson(POLICY)));
  const manifest: KitManifest = {
    schema: KIT_SCHEMA,
    generation: 7,
    source: { tenant: 'acme', log: KIT_LOG },
    selection: {},
    trust: { epoch: 1, current: trust.digest, shareWith: [], materials: [trust], policies: [{ ...policy, active: true }] },
    channels: [],
    versions: packs.map(pack => aKitVersion(pack, { signer, trust: trust.digest, put })),
    ...changes,
  };
  return {
    manifest,
    blobs,
    signer,
    bytes: async (of = manifest, from = blobs) => {
      const parts: Uint8Array[] = [];
      for await (const part of kitBytes(of, ({ digest }) => once(from.get(digest)))) parts.push(part);
      return Buffer.concat(parts);
    },
  };
}

interface Making {
  readonly signer: EphemeralSigner;
  readonly trust: Digest;
  put(mediaType: string, bytes: Buffer): { mediaType: string; digest: Digest; size: number };
}

function aKitVersion({ packId = 'acme.hello', version = '1.0.0', ...pack }: KitPack, { signer, trust, put }: Making): KitVersion {
  const described = pack.manifest ?? aPack({ metadata: { packId, version } });
  const bundle = put(MEDIA_TYPES.packBundle, pack.bundle ?? Buffer.from(`the bundle of ${packId} ${version}`));
  const config = put(MEDIA_TYPES.packConfig, encodePackConfig(described));
  const { bytes, artifactType, ...subject } = encodePackManifest(described, config, bundle);
  const manifest = { ...put(subject.mediaType, bytes), artifactType };
  const empty = put(MEDIA_TYPES.ociEmpty, EMPTY_JSON);
  const signature = put(MEDIA_TYPES.sigstoreBundle, signer.bundle(pack.bundle ?? Buffer.from(`the bundle of ${packId} ${version}`)));
  const carrier = encodeSignatureManifest(signature, subject);
  const signatures = [
    {
      manifest: { ...put(carrier.mediaType, carrier.bytes), artifactType: carrier.artifactType },
      config: empty,
      document: signature as never,
    },
  ];
  const attestations = (pack.attestation ? [pack.attestation] : []).map(document => {
    const stored = put(MEDIA_TYPES.dsseEnvelope, document);
    const referrer = encodeAttestationManifest(stored, subject, 'https://example.test/made');
    return {
      manifest: { ...put(referrer.mediaType, referrer.bytes), artifactType: referrer.artifactType },
      config: empty,
      document: stored as never,
      predicateType: 'https://example.test/made',
      addedAt: AT,
      addedBy: 'acme-ci',
    };
  });
  const judged = aVerdict({ bundle: bundle.digest, config: config.digest, signature: signature.digest }, { trust, put });
  return {
    packId,
    version,
    type: packTypeOf(described),
    digest: bundle.digest,
    manifest,
    config,
    bundle,
    channel: 'edge',
    channels: ['edge'],
    headOf: ['edge'],
    lifecycle: 'active',
    deprecation: null,
    archival: null,
    publishedAt: AT,
    publishedBy: 'acme-ci',
    source: null,
    signatures,
    attestations,
    verdict: judged,
    ...pack.changes,
  };
}

function aVerdict(of: { bundle: Digest; config: Digest; signature: Digest }, { trust, put }: Pick<Making, 'trust' | 'put'>) {
  const verdict: Verdict = {
    schema: 'stellaops.io/verdict.v1',
    outcome: 'accepted',
    subject: { bundle: of.bundle, config: of.config },
    policy: { name: POLICY.name, version: POLICY.version, digest: policyDigest(POLICY) },
    trust: { digest: trust, epoch: 1 },
    evidence: [of.signature],
    checks: [],
    identities: [],
    evaluatedAt: AT,
  };
  const judged = put('application/vnd.stellaops.pack.verdict.v1+json', Buffer.from(canonicalJson(verdict)));
  if (judged.digest !== verdictHash(verdict)) throw new Error('a verdict has the digest of its JSON');
  return judged;
}

async function* once(bytes: Buffer | undefined): AsyncIterable<Uint8Array> {
  if (bytes) yield bytes;
}
