import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiConsumes, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ImportQuery, ImportView, ReceiveKit } from '@packs/contracts';
import { DomainError, type Principal } from '@packs/domain';
import { CommandBus, KitReadModel } from '@packs/ports';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ulid } from 'ulid';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';
import { KitReceiver } from './receive-kit';

/** Offline kits brought here. */
@ApiTags('kits')
@Controller('api/imports')
export class ImportsController {
  constructor(
    private readonly kits: KitReadModel,
    private readonly commands: CommandBus,
    private readonly receiver: KitReceiver,
  ) {}

  @Post()
  @HttpCode(202)
  @Operation(
    'packs.admin',
    'Import an offline kit: nothing of it is visible before all of it was verified, then all of it is',
    'createImport',
    'allowed-when-sealed',
  )
  @ApiConsumes('multipart/form-data')
  @ApiBody({
    schema: {
      type: 'object',
      required: ['kit', 'signature'],
      properties: { kit: { type: 'string', format: 'binary' }, signature: { type: 'string', format: 'binary' } },
    },
  })
  @ApiAcceptedResponse({ type: ImportView })
  async create(
    @Query() { preflight, acceptTrust }: ImportQuery,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImportView> {
    const { kit, signature } = await this.receiver.receive(request);
    const { id } = await this.hand({ ...originOf(caller, request), id: ulid(), kit, signature, preflight, acceptTrust });
    void reply.header('location', `/api/imports/${id}`);
    return this.find(caller, id);
  }

  @Get(':id')
  @Operation('packs.admin', 'An import: its report, how far it is, and what became of it', 'getImport')
  @ApiOkResponse({ type: ImportView })
  get(@Param('id') id: string, @Caller() caller: Principal): Promise<ImportView> {
    return this.find(caller, id);
  }

  /** A refusal leaves the upload to nobody; without an answer it may have been taken. */
  private async hand(request: Parameters<typeof this.commands.send<typeof ReceiveKit>>[1]): Promise<{ id: string }> {
    try {
      return await this.commands.send(ReceiveKit, request);
    } catch (error) {
      if (error instanceof DomainError && error.retry === 'never') await this.receiver.discard([request.kit, request.signature]);
      throw error;
    }
  }

  private async find({ tenant }: Principal, id: string): Promise<ImportView> {
    const found = await this.kits.findImport(tenant, id);
    if (!found) throw new DomainError('ERR_PACK_NOT_FOUND', 'no such import');
    return found;
  }
}
