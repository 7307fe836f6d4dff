import { Body, Controller, Get, Put, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ExportersAnswer, KeyListInput, UpdateExporters } from '@packs/contracts';
import type { Principal, TrustMaterial } from '@packs/domain';
import { BlobStore, CommandBus, ContentCatalog, KitReadModel, readWhole } from '@packs/ports';
import { encodeTrustMaterial, keyIdOf, parseTrustMaterial, readTrustMaterial } from '@packs/sigstore';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';
import { recordBlobs } from '../../storing/record-blobs';
import { once } from '../publish-pack/receive-bundle';

const KEYS_MAX_BYTES = 1024 * 1024;

/** Whose offline kits a tenant takes. They vouch for kits; packs are judged by the tenant's own keys and policies. */
@ApiTags('kits')
@Controller('api/exporters')
export class ExportersController {
  constructor(
    private readonly kits: KitReadModel,
    private readonly blobs: BlobStore,
    private readonly catalog: ContentCatalog,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', 'The keys of the exporters whose kits are taken', 'getExporters')
  @ApiOkResponse({ type: ExportersAnswer })
  async get(@Caller() caller: Principal): Promise<ExportersAnswer> {
    const named = await this.kits.exporters(caller.tenant);
    if (!named) return { digest: null, keys: [] };
    return answer(named.digest, readTrustMaterial(await readWhole(this.blobs, named, KEYS_MAX_BYTES)));
  }

  @Put()
  @Operation('packs.admin', 'Replace the keys of the exporters whose kits are taken', 'putExporters', 'mutation')
  @ApiOkResponse({ type: ExportersAnswer })
  async put(@Body() body: KeyListInput, @Caller() caller: Principal, @Req() request: FastifyRequest): Promise<ExportersAnswer> {
    const material = parseTrustMaterial(body);
    const bytes = encodeTrustMaterial(material);
    const [stored] = await recordBlobs(this.blobs, this.catalog, [await this.blobs.write(once(bytes), { maxBytes: KEYS_MAX_BYTES })]);
    if (!stored) throw new Error('the catalog recorded nothing');
    const { digest } = await this.commands.send(UpdateExporters, {
      ...originOf(caller, request),
      keys: { digest: stored.digest, size: stored.size, objectKey: stored.objectKey },
      keyIds: material.keys.map(keyIdOf),
    });
    return answer(digest, material);
  }
}

function answer(digest: string, material: TrustMaterial): ExportersAnswer {
  return {
    digest,
    keys: material.keys.map(key => ({ name: key.name, keyId: keyIdOf(key), scheme: key.scheme, publicKey: key.publicKey })),
  };
}
