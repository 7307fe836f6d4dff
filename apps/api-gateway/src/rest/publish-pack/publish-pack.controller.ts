import { Controller, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiConsumes, ApiCreatedResponse, ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PublishAnswer, PublishQuery, REFERENCE_MAX } from '@packs/contracts';
import { MEDIA_TYPES, parseDigest, parsePackId, parseVersion, type Principal } from '@packs/domain';
import { CommandBus } from '@packs/ports';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { carryReferrers, fetchReference, namesReference } from './fetch-reference';
import { idempotencyKeyOf, publish } from './publish';
import { BundleReceiver } from './receive-bundle';

@ApiTags('versions')
@Controller('api/packs/:packId/versions')
export class PublishPackController {
  constructor(
    private readonly receiver: BundleReceiver,
    private readonly commands: CommandBus,
  ) {}

  @Post()
  @Operation('packs.write', 'Publish a version: verified, stored and announced, or refused with nothing changed', 'publishPack', 'mutation')
  @ApiConsumes('multipart/form-data', MEDIA_TYPES.packBundle, 'application/json')
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'The same key and request give the same answer' })
  @ApiHeader({ name: 'Stella-Signature', required: false, description: 'With a raw body: the signature document, base64' })
  @ApiHeader({ name: 'Stella-Signature-Type', required: false, description: 'Its media type; a sigstore bundle unless said' })
  @ApiBody({
    schema: {
      oneOf: [
        {
          type: 'object',
          required: ['bundle'],
          properties: {
            bundle: { type: 'string', format: 'binary' },
            signature: { type: 'array', maxItems: 8, items: { type: 'string', format: 'binary' } },
          },
        },
        {
          type: 'object',
          required: ['reference'],
          properties: {
            reference: { type: 'string', maxLength: REFERENCE_MAX, example: 'registry.example/acme/hello@sha256:…' },
          },
          description: 'As application/json: the pack and what refers to it are pulled from another registry',
        },
      ],
    },
  })
  @ApiCreatedResponse({ type: PublishAnswer })
  @ApiOkResponse({ type: PublishAnswer, description: 'The same bundle was published before' })
  @ApiAcceptedResponse({ type: PublishAnswer, description: 'All is well but the signatures: the number is kept for them for 24 hours' })
  async publish(
    @Param('packId') packId: string,
    @Query() query: PublishQuery,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    parsePackId(packId);
    if (query.version !== undefined) parseVersion(query.version);
    idempotencyKeyOf(request);
    const digest = query.digest === undefined ? undefined : parseDigest(query.digest);
    const { maxBundleBytes } = this.receiver;
    const received = namesReference(request)
      ? await fetchReference(this.commands, request, caller, { digest, maxBundleBytes })
      : await this.receiver.receive(request, digest);
    const publication = { packId, version: query.version ?? null, channel: query.channel, received, manifestDigest: null };
    const { answer, status } = await publish(this.commands, publication, caller, request);
    const notCarried = namesReference(request) ? await carryReferrers(this.commands, request, caller, { received, answer }) : [];
    await reply
      .status(status)
      .header('location', `/api/packs/${answer.packId}/versions/${encodeURIComponent(answer.version)}`)
      .send(notCarried.length > 0 ? { ...answer, notCarried } : answer);
  }
}
