import { Body, Controller, Delete, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  DeletedAnswer,
  DeprecateVersion,
  PackDetail,
  PackListQuery,
  PackSummaryList,
  PackUpload,
  VersionListQuery,
  VersionSummaryList,
  type PackSummary,
  type PackView,
} from '@packs/contracts';
import { canonicalDigest, DomainError, MEDIA_TYPES, parsePackId, parseVersion, type Principal } from '@packs/domain';
import { CommandBus, PackReadModel } from '@packs/ports';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf, viewpointOf } from '../../http/origin';
import { BundleSender } from '../../serving/send-bundle';
import { ServableVersions } from '../../serving/servable-versions';
import { publish } from '../publish-pack/publish';
import { BundleReceiver, once } from '../publish-pack/receive-bundle';

const CONTENT_MAX_BYTES = 16 * 1024 * 1024;

/** `/packs`: the same content and rules as `/api/packs`, in the short shapes older clients know. */
@ApiTags('alias')
@Controller('packs')
export class PacksAliasController {
  constructor(
    private readonly packs: PackReadModel,
    private readonly versions: ServableVersions,
    private readonly sender: BundleSender,
    private readonly receiver: BundleReceiver,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', 'Packs, in short', 'aliasListPacks')
  @ApiOkResponse({ type: PackSummaryList })
  async list(@Query() query: PackListQuery, @Caller() caller: Principal): Promise<PackSummaryList> {
    const { packs, next } = await this.packs.listPacks(viewpointOf(caller, query.tenant ?? query.namespace), query);
    return { packs: packs.map(toSummary), next };
  }

  @Get(':id')
  @Operation('packs.read', 'One pack', 'aliasGetPack')
  @ApiOkResponse({ type: PackDetail })
  async get(@Param('id') id: string, @Caller() caller: Principal): Promise<PackDetail> {
    const found = await this.packs.findPack(viewpointOf(caller, undefined), parsePackId(id));
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', `no pack ${id}`);
    return found;
  }

  @Get(':id/versions')
  @Operation('packs.read', 'Versions of a pack, in short', 'aliasListVersions')
  @ApiOkResponse({ type: VersionSummaryList })
  async listVersions(@Param('id') id: string, @Query() query: VersionListQuery, @Caller() caller: Principal): Promise<VersionSummaryList> {
    const found = await this.packs.listVersions(viewpointOf(caller, query.namespace), parsePackId(id), query);
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', `no pack ${id}`);
    return {
      versions: found.versions.map(({ version, digest, size, publishedAt, deprecated }) => ({
        version,
        digest,
        size,
        publishedAt,
        deprecated,
      })),
      next: found.next,
    };
  }

  @Get(':id/:version')
  @Operation('packs.read', 'The bundle', 'aliasDownload')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  async download(
    @Param('id') id: string,
    @Param('version') version: string,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.sender.send(await this.versions.find(viewpointOf(caller, undefined), id, version), request, reply);
  }

  @Post()
  @Operation('packs.write', 'Publish a bundle given as base64', 'aliasPublish', 'mutation')
  @ApiCreatedResponse({ schema: { type: 'object', properties: { packId: { type: 'string' } } } })
  async publish(
    @Body() body: PackUpload,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const content = decode(body.content);
    const signatures = (body.signatures ?? []).map(signature => ({
      mediaType: signature.mediaType ?? MEDIA_TYPES.sigstoreBundle,
      content: Buffer.from(signature.content, 'base64'),
    }));
    const publication = {
      packId: null,
      version: null,
      channel: body.channel,
      received: await this.receiver.store(once(content), signatures, undefined),
      manifestDigest: canonicalDigest(body.manifest),
    };
    const { answer, status } = await publish(this.commands, publication, caller, request);
    await reply.status(status).send({ packId: answer.packId });
  }

  @Delete(':id/:version')
  @Operation('packs.write', 'Deprecate a version', 'aliasDeprecate', 'mutation')
  @ApiOkResponse({ type: DeletedAnswer })
  async deprecate(
    @Param('id') id: string,
    @Param('version') version: string,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
  ): Promise<DeletedAnswer> {
    const target = { packId: parsePackId(id), version: parseVersion(version), reason: null, replacement: null };
    await this.commands.send(DeprecateVersion, { ...originOf(caller, request), ...target });
    return { deleted: true };
  }
}

function toSummary({ packId, version, type, name, description, digest, size, publishedAt, author }: PackView): PackSummary {
  return { packId, version, type, name, description, digest, size, publishedAt, author };
}

function decode(base64: string): Buffer {
  const content = Buffer.from(base64, 'base64');
  if (content.length > CONTENT_MAX_BYTES) throw new DomainError('ERR_PACK_TOO_LARGE', `content may have ${CONTENT_MAX_BYTES} bytes`);
  if (content.toString('base64').length === base64.length && content.length > 0) return content;
  throw new DomainError('ERR_PACK_REQUEST_INVALID', 'content must be base64', {
    errors: [{ field: 'content', message: 'must be base64' }],
  });
}
