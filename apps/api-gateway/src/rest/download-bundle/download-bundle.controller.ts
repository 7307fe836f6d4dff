import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { NamespaceQuery } from '@packs/contracts';
import { MEDIA_TYPES, type Principal } from '@packs/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { viewpointOf } from '../../http/origin';
import { BundleSender } from '../../serving/send-bundle';
import { ServableVersions } from '../../serving/servable-versions';

@ApiTags('versions')
@Controller('api/packs/:packId/versions/:version/bundle')
export class DownloadBundleController {
  constructor(
    private readonly versions: ServableVersions,
    private readonly sender: BundleSender,
  ) {}

  @Get()
  @Operation('packs.read', 'The bundle, whole or a range of it', 'downloadBundle')
  @ApiProduces(MEDIA_TYPES.packBundle)
  @ApiHeader({ name: 'Range', required: false, description: 'One byte range (RFC 9110 §14.2)' })
  @ApiHeader({ name: 'If-None-Match', required: false })
  @ApiOkResponse({
    description: 'The bytes; `ETag` is the digest, `Repr-Digest` the same by RFC 9530',
    schema: { type: 'string', format: 'binary' },
  })
  @ApiResponse({ status: 206, description: 'The range asked for' })
  @ApiResponse({ status: 304, description: 'The caller has it already' })
  async download(
    @Param('packId') packId: string,
    @Param('version') version: string,
    @Query() query: NamespaceQuery,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const found = await this.versions.find(viewpointOf(caller, query.namespace), packId, version);
    await this.sender.send(found, request, reply);
  }
}
