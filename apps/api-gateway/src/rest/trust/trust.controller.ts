import { Body, Controller, Get, Put, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { TrustAnswer, TrustInput, UpdateTrust } from '@packs/contracts';
import type { Principal, TrustMaterial } from '@packs/domain';
import { BlobStore, CommandBus, ContentCatalog, readWhole, TrustReadModel } from '@packs/ports';
import { authorityIdsOf, encodeTrustMaterial, keyIdOf, parseTrustMaterial, readTrustMaterial } from '@packs/sigstore';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';
import { once } from '../publish-pack/receive-bundle';

const TRUST_MAX_BYTES = 1024 * 1024;

/** The keys and sigstore roots a tenant trusts. */
@ApiTags('trust')
@Controller('api/trust')
export class TrustController {
  constructor(
    private readonly trust: TrustReadModel,
    private readonly blobs: BlobStore,
    private readonly catalog: ContentCatalog,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', 'The trusted keys and their epoch', 'getTrust')
  @ApiOkResponse({ type: TrustAnswer })
  async get(@Caller() caller: Principal): Promise<TrustAnswer> {
    const { epoch, digest, material } = await this.trust.state(caller.tenant);
    const trusted = material ? readTrustMaterial(await readWhole(this.blobs, material, TRUST_MAX_BYTES)) : { keys: [] };
    return answer(epoch, digest, trusted);
  }

  @Put()
  @Operation('packs.admin', 'Replace the trusted keys; what they no longer vouch for is withdrawn from readers', 'putTrust', 'mutation')
  @ApiOkResponse({ type: TrustAnswer })
  async put(@Body() body: TrustInput, @Caller() caller: Principal, @Req() request: FastifyRequest): Promise<TrustAnswer> {
    const material = parseTrustMaterial(body);
    const bytes = encodeTrustMaterial(material);
    const [stored] = await this.catalog.record([await this.blobs.write(once(bytes), { maxBytes: TRUST_MAX_BYTES })]);
    if (!stored) throw new Error('the catalog recorded nothing');
    const { epoch, digest } = await this.commands.send(UpdateTrust, {
      ...originOf(caller, request),
      material: { digest: stored.digest, size: stored.size, objectKey: stored.objectKey },
      keyIds: [...material.keys.map(keyIdOf), ...authorityIdsOf(material)],
    });
    return answer(epoch, digest, material);
  }
}

function answer(epoch: number, digest: string, material: TrustMaterial): TrustAnswer {
  return {
    epoch,
    digest,
    keys: material.keys.map(key => ({ name: key.name, keyId: keyIdOf(key), scheme: key.scheme, publicKey: key.publicKey })),
    ...(material.trustedRoots && { trustedRoots: material.trustedRoots.map((root): object => JSON.parse(root)) }),
  };
}
