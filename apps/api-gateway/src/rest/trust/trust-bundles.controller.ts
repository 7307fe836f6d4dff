import { Body, Controller, Get, Put, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { RotateTrust, TrustBundleAnswer, TrustBundleInput } from '@packs/contracts';
import { canonicalJson, DomainError, type Principal } from '@packs/domain';
import { BlobStore, CommandBus, ContentCatalog, readWhole, TrustReadModel, type BlobRef, type ImportedTrustBundle } from '@packs/ports';
import { encodeTrustMaterial, keyIdOf, MAX_TRUST_BUNDLE_BYTES, readTrustBundle, type TrustBundle } from '@packs/sigstore';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';
import { recordBlobs } from '../../storing/record-blobs';

/** An envelope is its payload in base64. */
const MAX_FILE_BYTES = 2 * MAX_TRUST_BUNDLE_BYTES;

/** What a tenant trusts, as its owners sign it. */
@ApiTags('trust')
@Controller('api/trust/bundle')
export class TrustBundlesController {
  constructor(
    private readonly trust: TrustReadModel,
    private readonly blobs: BlobStore,
    private readonly catalog: ContentCatalog,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', 'The signed trust bundle that was put in force last', 'getTrustBundle')
  @ApiOkResponse({ type: TrustBundleAnswer })
  async get(@Caller() { tenant }: Principal): Promise<TrustBundleAnswer> {
    const [imported, { epoch }] = await Promise.all([this.trust.bundle(tenant), this.trust.state(tenant)]);
    if (!imported) throw new DomainError('ERR_PACK_NOT_FOUND', 'no trust bundle was put in force');
    const { bundle } = readTrustBundle(await readWhole(this.blobs, imported.document, MAX_FILE_BYTES));
    return answer(bundle, imported, epoch);
  }

  @Put()
  @Operation(
    'packs.admin',
    'Put a signed trust bundle in force; what it no longer trusts is withdrawn from readers',
    'putTrustBundle',
    'mutation',
  )
  @ApiOkResponse({ type: TrustBundleAnswer })
  async put(@Body() body: TrustBundleInput, @Caller() caller: Principal, @Req() request: FastifyRequest): Promise<TrustBundleAnswer> {
    const file = Buffer.from(canonicalJson(envelopeOf(body)));
    const { bundle } = readTrustBundle(file);
    const [document, material] = await this.store([file, encodeTrustMaterial(bundle.material)]);
    if (!document || !material) throw new Error('the catalog recorded nothing');
    const { epoch, ...reply } = await this.commands.send(RotateTrust, { ...originOf(caller, request), bundle: document, material });
    return answer(bundle, { ...reply, material: material.digest }, epoch);
  }

  private async store(contents: readonly Buffer[]): Promise<BlobRef[]> {
    const written = await Promise.all(contents.map(content => this.blobs.writeBytes(content)));
    const recorded = await recordBlobs(this.blobs, this.catalog, written);
    return recorded.map(({ digest, size, objectKey }) => ({ digest, size, objectKey }));
  }
}

function envelopeOf({ payload, payloadType, signatures }: TrustBundleInput): object {
  return { payload, payloadType, signatures: signatures.map(({ sig }) => ({ sig })) };
}

function answer(
  { validFrom, validUntil, root }: TrustBundle,
  { version, digest, material, importedAt, importedBy }: Omit<ImportedTrustBundle, 'document' | 'validUntil'>,
  epoch: number,
): TrustBundleAnswer {
  const described = { keyIds: root.keys.map(keyIdOf), threshold: root.threshold };
  return { version, digest, material, epoch, validFrom, validUntil, root: described, importedAt, importedBy };
}
