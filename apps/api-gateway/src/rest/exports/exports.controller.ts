import { Body, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiHeader, ApiOkResponse, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ExportInput, ExportKit, ExportView, KIT_MEDIA_TYPES } from '@packs/contracts';
import { DomainError, MEDIA_TYPES, type Principal } from '@packs/domain';
import { CommandBus, KitReadModel } from '@packs/ports';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ulid } from 'ulid';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';
import { BundleSender } from '../../serving/send-bundle';

/** Offline kits made here. */
@ApiTags('kits')
@Controller('api/exports')
export class ExportsController {
  constructor(
    private readonly kits: KitReadModel,
    private readonly commands: CommandBus,
    private readonly sender: BundleSender,
  ) {}

  @Post()
  @HttpCode(202)
  @Operation(
    'packs.admin',
    'Make an offline kit of the selected versions; the same selection and `seq` give the same bytes',
    'createExport',
    'mutation',
  )
  @ApiAcceptedResponse({ type: ExportView })
  async create(
    @Body() body: ExportInput,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ExportView> {
    const asked = { id: ulid(), selection: { ...body.selection }, seq: body.seq ?? null };
    const { id } = await this.commands.send(ExportKit, { ...originOf(caller, request), ...asked });
    void reply.header('location', `/api/exports/${id}`);
    return this.find(caller, id);
  }

  @Get(':id')
  @Operation('packs.admin', 'An export, and how far it is', 'getExport')
  @ApiOkResponse({ type: ExportView })
  get(@Param('id') id: string, @Caller() caller: Principal): Promise<ExportView> {
    return this.find(caller, id);
  }

  @Get(':id/kit')
  @Operation('packs.admin', 'The kit, whole or a range of it', 'downloadKit')
  @ApiProduces(KIT_MEDIA_TYPES.kit)
  @ApiHeader({ name: 'Range', required: false, description: 'One byte range (RFC 9110 §14.2)' })
  @ApiOkResponse({
    description: 'The bytes; `ETag` is the digest, `Repr-Digest` the same by RFC 9530',
    schema: { type: 'string', format: 'binary' },
  })
  @ApiResponse({ status: 206, description: 'The range asked for' })
  async kit(
    @Param('id') id: string,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { kit, generation } = await this.finished(caller, id);
    await this.sender.sendBlob(kit, { mediaType: KIT_MEDIA_TYPES.kit, fileName: `${caller.tenant}-${generation}.tar` }, request, reply);
  }

  @Get(':id/signature')
  @Operation('packs.admin', 'The signature that has to lie beside the kit as `<kit>.sigstore.json`', 'downloadKitSignature')
  @ApiProduces(MEDIA_TYPES.sigstoreBundle)
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  async signature(
    @Param('id') id: string,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { signature, generation } = await this.finished(caller, id);
    await this.sender.sendBlob(
      signature,
      { mediaType: MEDIA_TYPES.sigstoreBundle, fileName: `${caller.tenant}-${generation}.tar.sigstore.json` },
      request,
      reply,
    );
  }

  private async find({ tenant }: Principal, id: string): Promise<ExportView> {
    const found = await this.kits.findExport(tenant, id);
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', 'no such export');
    return found;
  }

  private async finished(caller: Principal, id: string) {
    const found = await this.kits.exported(caller.tenant, id);
    if (found) return found;
    const { state } = await this.find(caller, id);
    throw new DomainError('ERR_KIT_NOT_READY', `the export is ${state}`, { details: { state } });
  }
}
