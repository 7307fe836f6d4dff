import { PublishPack, publishTimeoutMs, type PublishPackRequest } from '@packs/contracts';
import { DEFAULT_CHANNEL, DomainError, isDigest, isName, PACK_ID_MAX, sha256, type Digest } from '@packs/domain';
import { mirroredVersions } from '@packs/observability';
import type { CommandBus, RemoteManifest, RepositoryContents } from '@packs/ports';
import { namedContent, packOf, signaturesOf } from '@packs/registry-client';
import { encodeSimpleSignature } from '@packs/sigstore';
import { refIn, refOf, type BringBlobs } from './bring-blobs';
import { isRefusal, type PullPlace } from './pull-place';

type Signature = PublishPackRequest['signatures'][number];

/** Has a pack that lies at an upstream published here, as it is, by the verifier and the policy of every publish. */
export class BringPack {
  constructor(
    private readonly contents: RepositoryContents,
    private readonly bringBlobs: BringBlobs,
    private readonly commands: CommandBus,
    private readonly maxBundleBytes: number,
  ) {}

  /**
   * @returns manifests of signatures that came with it
   * @throws DomainError ERR_PACK_VERDICT_REJECTED with why, and what a publish is refused with
   */
  async execute(place: PullPlace, manifest: RemoteManifest): Promise<ReadonlySet<Digest>> {
    const { tenant, actor, source, repository } = place;
    if (!isName(repository, PACK_ID_MAX)) throw new DomainError('ERR_PACK_ID_INVALID', `${repository} is no packId`);
    if ((await this.contents.kind(tenant, repository)) === 'generic') throw otherKind(repository);
    const { config, bundle } = packOf(manifest);
    if (bundle.size > this.maxBundleBytes)
      throw new DomainError('ERR_PACK_TOO_LARGE', `the bundle has ${bundle.size} bytes; at most ${this.maxBundleBytes} are taken`);
    if (!isDigest(manifest.digest)) throw new DomainError('ERR_PACK_DIGEST_INVALID', 'the manifest of a pack is addressed by sha256');
    const stored = await this.bringBlobs.execute(place, [config, bundle]);
    const artifact = {
      mediaType: manifest.mediaType,
      manifest: refOf(await this.bringBlobs.manifest(place, manifest)),
      config: refIn(stored, config),
    };
    const { signatures, carried } = await this.signatures(place, manifest);
    const reply = await this.commands.send(
      PublishPack,
      {
        ...{ tenant, actor, source, packId: repository, version: null, channel: DEFAULT_CHANNEL },
        ...{ bundle: refIn(stored, bundle), artifact, signatures, manifestDigest: null },
        idempotencyKey: `pull-${sha256([place.key, repository, manifest.digest].join())}`,
      },
      publishTimeoutMs(bundle.size),
    );
    if (reply.outcome === 'rejected') {
      const faults = reply.faults.map(({ code, message }) => `${code}: ${message}`).join('; ');
      throw new DomainError('ERR_PACK_VERDICT_REJECTED', faults || 'the pack was not accepted', {
        details: { verdict: reply.verdictHash },
      });
    }
    if (reply.outcome === 'published') mirroredVersions.inc();
    return carried;
  }

  private async signatures(place: PullPlace, manifest: RemoteManifest): Promise<{ signatures: Signature[]; carried: Set<Digest> }> {
    const signatures: Signature[] = [];
    const carried = new Set<Digest>();
    for (const found of await signaturesOf(place.from, manifest, encodeSimpleSignature, place.signal)) {
      const { digest, size, mediaType, referrer } = found;
      const [document] = (await this.bringBlobs.document(place, { digest, size, read: () => found.read() })).values();
      if (!document) throw new Error(`${digest} was not stored`);
      const blob = { ...refOf(document), mediaType };
      if (!referrer) {
        signatures.push(blob);
        continue;
      }
      carried.add(referrer.digest);
      signatures.push({ ...blob, ...(await this.referrer(place, referrer)) });
    }
    return { signatures, carried };
  }

  /** What is wrong with it takes nothing from the signature: told when it is brought like any other, it is left off here. */
  private async referrer(place: PullPlace, referrer: RemoteManifest): Promise<Pick<Signature, 'referrer'>> {
    try {
      await this.bringBlobs.execute(place, namedContent(referrer).blobs);
      return { referrer: { mediaType: referrer.mediaType, manifest: refOf(await this.bringBlobs.manifest(place, referrer)) } };
    } catch (error) {
      place.signal.throwIfAborted();
      if (!isRefusal(error) || error.code === 'ERR_PACK_LIMIT') throw error;
      return {};
    }
  }
}

export function otherKind(repository: string): DomainError {
  return new DomainError(
    'ERR_OCI_REPOSITORY_KIND',
    `repository ${repository} holds content of another kind, and a repository keeps its kind`,
  );
}
