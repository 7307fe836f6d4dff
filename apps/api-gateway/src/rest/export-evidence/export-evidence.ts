import type { AttestationStateView, AttestationView } from '@packs/contracts';
import { canonicalJson, DomainError, MANIFEST_MAX_BYTES, policyDigest, type Digest, type SigningPolicy, type Verdict } from '@packs/domain';
import {
  readWhole,
  requireSound,
  type BlobRef,
  type BlobStore,
  type EvidenceReadModel,
  type ServableVersion,
  type Viewpoint,
} from '@packs/ports';
import { MAX_ATTESTATION_BYTES, MAX_SIGNATURE_BYTES } from '@packs/sigstore';
import type { AttestationEvidence, ServableAttestations } from '../../serving/servable-attestations';
import { auditFiles, type AuditFiles } from './audit-files';
import { documentFile, jsonFile } from './document-files';
import { README_TEXT } from './readme-text';
import { signatureChecks } from './signature-checks';
import { summed, sumsOf, type SummedFile } from './sum-files';
import { trustFiles, type TrustFiles } from './trust-files';
import { VERIFY_SCRIPT } from './verify-script';

/** Verdicts of one version at the most: each attestation may have been judged anew many times. */
const MAX_VERDICTS = 5_000;

export interface Evidence {
  readonly files: readonly SummedFile[];
  /** The last audit entry in it, 0 for none. */
  readonly seq: number;
}

interface Stored {
  readonly hash: Digest;
  readonly verdict: Verdict;
}

/**
 * Puts together what is known about a version of the caller's own, for somebody who checks it without us. Only what is served is in it: a withdrawn
 * version has no evidence, and statements that are not verified are named without their documents. The same state is the same files.
 */
export class ExportEvidence {
  constructor(
    private readonly attestations: ServableAttestations,
    private readonly evidence: EvidenceReadModel,
    private readonly blobs: BlobStore,
  ) {}

  /** @throws DomainError as `ServableVersions.find` does; ERR_PACK_LIMIT, ERR_PACK_CORRUPT */
  async execute(tenant: string, packId: string, version: string, withBundle: boolean): Promise<Evidence> {
    const at: Viewpoint = { tenant, namespace: tenant };
    const found = await this.attestations.evidence(at, packId, version);
    const verdicts = await this.verdicts(tenant, packId, version);
    const all = verdicts.map(({ verdict }) => verdict);
    const named = all.flatMap(({ policy }) => (policy ? [policy] : []));
    const policies = await this.evidence.policies(tenant, named);
    const [trust, audit] = [
      await trustFiles(this.evidence, this.blobs, tenant, all),
      await auditFiles(this.evidence, { tenant, packId, version }),
    ];
    const { files: documents, fileOf } = this.documents(found.version, found.attestations);
    const index = indexOf({ ...found, verdicts, policies, trust, audit, fileOf, withBundle });
    const files = [
      ...(await this.artifact(tenant, found.version, withBundle)),
      ...documents,
      ...verdicts.map(({ hash, verdict }) => summed(jsonFile('verdicts', hash), Buffer.from(canonicalJson(verdict)))),
      ...policies.map(policy => summed(jsonFile('policies', policyDigest(policy)), Buffer.from(canonicalJson(policy)))),
      ...trust.files,
      ...audit.files,
      summed('CHECKS', Buffer.from(signatureChecks(all, fileOf, trust.trusted))),
      summed('README.txt', Buffer.from(README_TEXT)),
      summed('evidence.json', Buffer.from(`${canonicalJson(index)}\n`)),
      summed('verify.sh', Buffer.from(VERIFY_SCRIPT)),
    ];
    return { files: [...files, sumsOf(files)], seq: audit.lastSeq };
  }

  private async verdicts(tenant: string, packId: string, version: string): Promise<readonly Stored[]> {
    const verdicts = await this.evidence.verdicts(tenant, packId, version, MAX_VERDICTS + 1);
    if (verdicts.length <= MAX_VERDICTS) return verdicts;
    throw new DomainError('ERR_PACK_LIMIT', `the evidence of a version has at most ${MAX_VERDICTS} verdicts`);
  }

  private async artifact(tenant: string, { bundle, manifest }: ServableVersion, withBundle: boolean): Promise<readonly SummedFile[]> {
    const bytes = await readWhole(this.blobs, manifest, MANIFEST_MAX_BYTES);
    const { config } = JSON.parse(bytes.toString()) as { readonly config: { readonly digest: Digest } };
    const [blob] = await this.evidence.blobs(tenant, [config.digest]);
    if (!blob) throw new DomainError('ERR_PACK_CORRUPT', `the config ${config.digest} is not there`);
    const files = [
      summed('artifact/manifest.json', bytes),
      summed('artifact/config.json', await readWhole(this.blobs, blob, MANIFEST_MAX_BYTES)),
    ];
    if (!withBundle) return files;
    requireSound(bundle);
    const { digest, size } = bundle;
    return [...files, { path: 'artifact/bundle.tar.gz', size, digest, open: () => this.blobs.read(bundle) }];
  }

  private documents({ signatures }: ServableVersion, attestations: readonly AttestationEvidence[]) {
    const files = new Map<string, SummedFile>();
    const fileOf = new Map<Digest, string>();
    const add = (path: string, blob: BlobRef, maxBytes: number): void => {
      const { digest, size } = blob;
      files.set(path, { path, digest, size, open: () => this.whole(blob, maxBytes) });
      fileOf.set(digest, path);
    };
    for (const one of signatures) add(documentFile('signatures', one.digest, one.mediaType), one, MAX_SIGNATURE_BYTES);
    for (const { document, view } of attestations) {
      if (document) add(documentFile('attestations', document.digest, view.mediaType), document, MAX_ATTESTATION_BYTES);
    }
    return { files: [...files.values()], fileOf };
  }

  /** Read when its turn comes, and proven whole before a byte of it leaves. */
  private async *whole(blob: BlobRef, maxBytes: number): AsyncIterable<Uint8Array> {
    yield await readWhole(this.blobs, blob, maxBytes);
  }
}

interface Parts {
  readonly version: ServableVersion;
  readonly attestations: readonly AttestationEvidence[];
  readonly verdicts: readonly Stored[];
  readonly policies: readonly SigningPolicy[];
  readonly trust: TrustFiles;
  readonly audit: AuditFiles;
  readonly fileOf: ReadonlyMap<Digest, string>;
  readonly withBundle: boolean;
}

/** `evidence.json`: how the parts belong together. */
function indexOf({ version, attestations, verdicts, policies, trust, audit, fileOf, withBundle }: Parts): object {
  const { packId, tenant, type, digest, manifestDigest, size, publishedAt, publishedBy, channels, lifecycle, verdict, signatures } =
    version.view;
  const fileIf = (one: string): string | null => fileOf.get(one as Digest) ?? null;
  return {
    schema: 'stellaops.io/evidence.v1',
    ...{ tenant, packId, version: version.view.version, type, digest, manifestDigest, size },
    ...{ publishedAt, publishedBy, channels, lifecycle, withBundle, verdict: verdict.hash },
    signatures: signatures.map(signature => ({ ...signature, file: fileIf(signature.digest) })),
    attestations: attestations.map(({ view, document, history }) => ({
      ...shown(view),
      history,
      file: document ? fileIf(view.digest) : null,
    })),
    verdicts: verdicts.map(({ hash, verdict: { outcome, policy, trust: basis } }) => ({
      ...{ hash, outcome, file: jsonFile('verdicts', hash) },
      policy: policy?.digest ?? null,
      trust: basis.digest,
      trustEpoch: basis.epoch,
    })),
    policies: policies.map(policy => ({ name: policy.name, version: policy.version, digest: policyDigest(policy) })),
    keys: trust.keys,
    audit: { entries: audit.entries, lastSeq: audit.lastSeq, proofs: 'leaf-hashes' },
  };
}

function shown({
  uri: _,
  ...view
}: AttestationView): Omit<AttestationView, 'uri'> & { readonly history?: readonly AttestationStateView[] } {
  return view;
}
