import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  NamespaceQuery,
  RotateSignature,
  RotateSignatureAnswer,
  RotateSignatureInput,
  SignatureHistory,
  type RotateSignatureReply,
  type RotateSignatureRequest,
} from '@packs/contracts';
import { DomainError, MEDIA_TYPES, parseDigest, parsePackId, parseVersion, type Principal } from '@packs/domain';
import { BlobStore, CommandBus, ContentCatalog, SignatureReadModel } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf, viewpointOf } from '../../http/origin';
import { recordBlobs } from '../../storing/record-blobs';
import { idempotencyKeyOf } from '../publish-pack/publish';

/** Other signatures for a version that is published. */
@ApiTags('versions')
@Controller('api/packs/:packId/versions/:version/signatures')
export class RotateSignatureController {
  constructor(
    private readonly commands: CommandBus,
    private readonly blobs: BlobStore,
    private readonly catalog: ContentCatalog,
    private readonly signatures: SignatureReadModel,
  ) {}

  @Post()
  @HttpCode(200)
  @Operation(
    'packs.write',
    'Add signatures to a version, or put them in the place of others, if its policies accept it',
    'rotateSignature',
    'mutation',
  )
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'The same key and request give the same answer' })
  @ApiOkResponse({ type: RotateSignatureAnswer })
  async rotate(
    @Param('packId') packId: string,
    @Param('version') version: string,
    @Body() body: RotateSignatureInput,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
  ): Promise<RotateSignatureAnswer> {
    const target = { packId: parsePackId(packId), version: parseVersion(version) };
    const idempotencyKey = idempotencyKeyOf(request);
    const replaces = replacedBy(body);
    const signatures = await this.store(body);
    const { reason = null } = body;
    const reply = await this.commands.send(RotateSignature, {
      ...originOf(caller, request),
      ...target,
      signatures,
      replaces,
      reason,
      idempotencyKey,
    });
    return { ...target, tenant: caller.tenant, ...toAnswer(reply) };
  }

  @Get('history')
  @Operation('packs.read', 'How a version came to the signatures that it has', 'getSignatureHistory')
  @ApiOkResponse({ type: SignatureHistory })
  async history(
    @Param('packId') packId: string,
    @Param('version') version: string,
    @Query() query: NamespaceQuery,
    @Caller() caller: Principal,
  ): Promise<SignatureHistory> {
    const rotations = await this.signatures.history(viewpointOf(caller, query.namespace), parsePackId(packId), parseVersion(version));
    if (!rotations) throw new DomainError('ERR_PACK_NOT_FOUND', `no version ${version} of pack ${packId}`);
    return { rotations };
  }

  private async store({ signatures }: RotateSignatureInput): Promise<RotateSignatureRequest['signatures']> {
    const documents = signatures.map(({ content }, at) => decode(content, at));
    const written = await Promise.all(documents.map(document => this.blobs.writeBytes(document)));
    const recorded = await recordBlobs(this.blobs, this.catalog, written);
    return recorded.map(({ digest, size, objectKey }, at) => {
      return { digest, size, objectKey, mediaType: signatures[at]?.mediaType ?? MEDIA_TYPES.sigstoreBundle };
    });
  }
}

/** @throws DomainError ERR_PACK_REQUEST_INVALID */
function replacedBy({ signatures, replaces, replaceAll }: RotateSignatureInput): RotateSignatureRequest['replaces'] {
  if (replaceAll && replaces.length > 0) throw invalid('replaces', 'is for some signatures, and replaceAll for all');
  if (signatures.length === 0 && replaces.length === 0) throw invalid('signatures', 'are missing: nothing comes and nothing goes');
  return replaceAll ? 'all' : replaces.map((digest, at) => parseDigest(digest, `replaces/${at}`));
}

function decode(content: string, at: number): Buffer {
  const document = Buffer.from(content, 'base64');
  if (document.length > 0) return document;
  throw invalid(`signatures/${at}/content`, 'is empty');
}

function invalid(field: string, message: string): DomainError {
  return new DomainError('ERR_PACK_REQUEST_INVALID', `${field} ${message}`, { errors: [{ field, message }] });
}

/** @throws DomainError ERR_PACK_VERDICT_REJECTED with the verdict and its faults */
function toAnswer(reply: RotateSignatureReply): Omit<RotateSignatureAnswer, 'packId' | 'version' | 'tenant'> {
  switch (reply.outcome) {
    case 'rejected':
      throw new DomainError(
        'ERR_PACK_VERDICT_REJECTED',
        'the version is not accepted with these signatures, and keeps its own: see errors',
        {
          details: { verdict: { ...reply.verdict, hash: reply.verdictHash } },
          errors: reply.faults,
        },
      );
    case 'unchanged':
      return { changed: false, rotation: null, added: [], replaced: [], signatures: reply.signatures, verdict: null, restored: false };
    case 'rotated': {
      const { rotation, added, replaced, signatures, verdictHash, restored } = reply;
      return { changed: true, rotation, added, replaced, signatures, verdict: verdictHash, restored };
    }
  }
}
