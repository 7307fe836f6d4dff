import { Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiExtraModels,
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiProduces,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import {
  AddAttestation,
  AttestationList,
  AttestationListQuery,
  AttestationPath,
  AttestationQuery,
  attestationUri,
  AttestationView,
  NamespaceQuery,
  WaitingAttestationView,
  type AddAttestationReply,
} from '@packs/contracts';
import { ATTESTATION_MEDIA_TYPES, DomainError, parseDigest, parsePackId, parseVersion, type Principal } from '@packs/domain';
import { BlobStore, CommandBus, readWhole } from '@packs/ports';
import { MAX_ATTESTATION_BYTES } from '@packs/sigstore';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf, viewpointOf } from '../../http/origin';
import { CACHE_CONTROL, matches, reprDigest } from '../../serving/send-bundle';
import { ServableAttestations } from '../../serving/servable-attestations';
import { AttestationReceiver } from './receive-attestation';

const STATUS = { added: 201, 'already-added': 200, provisional: 202, rejected: 422 } as const;

/** What trusted signers state about a version. */
@ApiTags('attestations')
@Controller('api/packs/:packId/versions/:version/attestations')
export class AttestationsController {
  constructor(
    private readonly receiver: AttestationReceiver,
    private readonly attestations: ServableAttestations,
    private readonly blobs: BlobStore,
    private readonly commands: CommandBus,
  ) {}

  @Post()
  @Operation('packs.write', 'Add an attestation: verified and stored, or refused with nothing changed', 'addAttestation', 'mutation')
  @ApiConsumes(...ATTESTATION_MEDIA_TYPES)
  @ApiBody({ schema: { type: 'string', format: 'binary', maxLength: MAX_ATTESTATION_BYTES } })
  @ApiCreatedResponse({ type: AttestationView })
  @ApiOkResponse({ type: AttestationView, description: 'The same document was added before' })
  @ApiExtraModels(WaitingAttestationView)
  @ApiAcceptedResponse({
    description: 'It is provisional; or the version waits, and the attestation is kept to be judged with it',
    schema: { oneOf: [AttestationView, WaitingAttestationView].map(model => ({ $ref: getSchemaPath(model) })) },
  })
  async add(
    @Param('packId') packId: string,
    @Param('version') version: string,
    @Query() query: AttestationQuery,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const target = { packId: parsePackId(packId), version: parseVersion(version) };
    const attestation = await this.receiver.receive(request, query.digest === undefined ? undefined : parseDigest(query.digest));
    const answer = await this.commands.send(AddAttestation, {
      ...originOf(caller, request),
      ...target,
      attestation,
      ...(query.provisional && { provisional: true }),
    });
    if (answer.outcome === 'waiting') {
      const { outcome: state, ...shown } = answer;
      return void (await reply.status(202).send({ state, ...shown } satisfies WaitingAttestationView));
    }
    const view = toView(answer, attestationUri(caller.tenant, target.packId, target.version, attestation.digest));
    await reply.status(STATUS[answer.outcome]).header('location', view.uri).send(view);
  }

  @Get()
  @Operation(
    'packs.read',
    'What is attested about a version: by signers that are trusted now, unless another state is asked for',
    'listAttestations',
  )
  @ApiOkResponse({ type: AttestationList })
  async list(
    @Param('packId') packId: string,
    @Param('version') version: string,
    @Query() query: AttestationListQuery,
    @Caller() caller: Principal,
  ): Promise<AttestationList> {
    return { attestations: await this.attestations.list(viewpointOf(caller, query.namespace), packId, version, query.state) };
  }

  @Get(':digest')
  @Operation('packs.read', 'One attestation: the exact document', 'getAttestation')
  @ApiProduces(...ATTESTATION_MEDIA_TYPES)
  @ApiOkResponse({
    description: 'The bytes; `ETag` is the digest, `Repr-Digest` the same by RFC 9530',
    schema: { type: 'string', format: 'binary' },
  })
  async get(
    @Param() { packId, version, digest }: AttestationPath,
    @Query() query: NamespaceQuery,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const wanted = parseDigest(digest);
    const { document, view } = await this.attestations.find(viewpointOf(caller, query.namespace), packId, version, wanted);
    const etag = `"${wanted}"`;
    void reply.header('stella-attestation-state', view.state);
    void reply.headers({ etag, 'cache-control': CACHE_CONTROL, 'repr-digest': reprDigest(wanted) });
    if (matches(request.headers['if-none-match'], etag)) return void reply.status(304).send();
    await reply.header('content-type', view.mediaType).send(await readWhole(this.blobs, document, MAX_ATTESTATION_BYTES));
  }
}

/** @throws DomainError ERR_PACK_ATTESTATION_INVALID with the verdict and its faults */
function toView(answer: Exclude<AddAttestationReply, { outcome: 'waiting' }>, uri: string): AttestationView {
  if (answer.outcome === 'rejected') {
    throw new DomainError('ERR_PACK_ATTESTATION_INVALID', 'the attestation was not accepted: see errors', {
      details: { verdict: { ...answer.verdict, hash: answer.verdictHash } },
      errors: answer.faults,
    });
  }
  const { outcome: _, verdictHash: verdict, ...shown } = answer;
  return { ...shown, verdict, uri };
}
