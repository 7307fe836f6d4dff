import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { NamespaceQuery, SignatureList } from '@packs/contracts';
import type { Principal } from '@packs/domain';
import { BlobStore, readWhole } from '@packs/ports';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { viewpointOf } from '../../http/origin';
import { ServableVersions } from '../../serving/servable-versions';
import { SIGNATURE_MAX_BYTES } from '../publish-pack/receive-bundle';

@ApiTags('versions')
@Controller('api/packs/:packId/versions/:version/signatures')
export class GetSignaturesController {
  constructor(
    private readonly versions: ServableVersions,
    private readonly blobs: BlobStore,
  ) {}

  @Get()
  @Operation('packs.read', 'The exact signature documents of a version', 'getSignatures')
  @ApiOkResponse({ type: SignatureList })
  async get(
    @Param('packId') packId: string,
    @Param('version') version: string,
    @Query() query: NamespaceQuery,
    @Caller() caller: Principal,
  ): Promise<SignatureList> {
    const { signatures } = await this.versions.find(viewpointOf(caller, query.namespace), packId, version);
    const documents = signatures.map(async signature => {
      const content = await readWhole(this.blobs, signature, SIGNATURE_MAX_BYTES);
      return { digest: signature.digest, mediaType: signature.mediaType, size: signature.size, content: content.toString('base64') };
    });
    return { signatures: await Promise.all(documents) };
  }
}
