import { Body, Controller, Get, Put, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { TrustAnswer, TrustInput, UpdateTrust } from '@packs/contracts';
import { DomainError, isDigest, type Digest, type Principal, type TrustMaterial } from '@packs/domain';
import { BlobStore, Clock, CommandBus, ContentCatalog, readWhole, TrustReadModel } from '@packs/ports';
import { countingKeyIds, encodeTrustMaterial, keyIdOf, parseTrustMaterial, readTrustMaterial, trustMaterialJson } from '@packs/sigstore';
import type { FastifyReply, FastifyRequest } from 'fastify';
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
    private readonly clock: Clock,
  ) {}

  @Get()
  @Operation('packs.read', 'The trusted keys, what is revoked, and their epoch', 'getTrust')
  @ApiOkResponse({ type: TrustAnswer, description: '`ETag` is the digest' })
  async get(@Caller() caller: Principal, @Res({ passthrough: true }) reply: FastifyReply): Promise<TrustAnswer> {
    const { epoch, digest, material } = await this.trust.state(caller.tenant);
    const trusted = material ? readTrustMaterial(await readWhole(this.blobs, material, TRUST_MAX_BYTES)) : { keys: [] };
    return answer(reply, { epoch, digest }, trusted);
  }

  @Put()
  @Operation('packs.admin', 'Replace the trusted keys; what they no longer vouch for is withdrawn from readers', 'putTrust', 'mutation')
  @ApiHeader({ name: 'If-Match', required: false, description: 'The `ETag` it was read with: refused (412) if it was changed since' })
  @ApiOkResponse({ type: TrustAnswer, description: '`ETag` is the digest' })
  async put(
    @Body() body: TrustInput,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TrustAnswer> {
    const expected = expectedBy(request.headers['if-match']);
    const material = parseTrustMaterial(body);
    const bytes = encodeTrustMaterial(material);
    const [stored] = await this.catalog.record([await this.blobs.write(once(bytes), { maxBytes: TRUST_MAX_BYTES })]);
    if (!stored) throw new Error('the catalog recorded nothing');
    const { epoch, digest } = await this.commands.send(UpdateTrust, {
      ...originOf(caller, request),
      material: { digest: stored.digest, size: stored.size, objectKey: stored.objectKey },
      keyIds: countingKeyIds(material, this.clock.now()),
      ...(expected !== undefined && { expected }),
    });
    return answer(reply, { epoch, digest }, material);
  }
}

function expectedBy(header: string | undefined): Digest | undefined {
  if (header === undefined || header === '*') return undefined;
  const digest = /^"(.+)"$/.exec(header)?.[1];
  if (isDigest(digest)) return digest;
  throw new DomainError('ERR_PACK_REQUEST_INVALID', 'If-Match is not the ETag of trust material', {
    errors: [{ field: 'If-Match', message: 'not the ETag of trust material' }],
  });
}

function answer(
  reply: FastifyReply,
  { epoch, digest }: { readonly epoch: number; readonly digest: string },
  material: TrustMaterial,
): TrustAnswer {
  void reply.header('etag', `"${digest}"`);
  const { keys: _, ...rest } = trustMaterialJson(material);
  return { epoch, digest, keys: material.keys.map(key => ({ ...key, keyId: keyIdOf(key) })), ...rest };
}
