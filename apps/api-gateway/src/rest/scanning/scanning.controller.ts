import { Body, Controller, Get, Param, Put, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ScanningInput, ScanningView, ScanReportView, UpdateScanning } from '@packs/contracts';
import { DomainError, parseDigest, type Principal } from '@packs/domain';
import { BlobStore, CommandBus, readWhole, ScanReportReadModel, TrustReadModel } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';

const REPORT_MAX_BYTES = 256 * 1024;

/** What a tenant's packs are scanned for before a verdict on them, and what was found. */
@ApiTags('trust')
@Controller('api/scanning')
export class ScanningController {
  constructor(
    private readonly trust: TrustReadModel,
    private readonly reports: ScanReportReadModel,
    private readonly blobs: BlobStore,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', "What the tenant's packs are scanned for before a verdict on them", 'getScanning')
  @ApiOkResponse({ type: ScanningView })
  async get(@Caller() caller: Principal): Promise<ScanningView> {
    return (await this.trust.state(caller.tenant)).scanning;
  }

  @Put()
  @Operation('packs.admin', "Set what the tenant's packs are scanned for", 'putScanning', 'mutation')
  @ApiOkResponse({ type: ScanningView })
  async put(@Body() body: ScanningInput, @Caller() caller: Principal, @Req() request: FastifyRequest): Promise<ScanningView> {
    const { secrets, malware } = body;
    const settings = { ...(secrets && { secrets }), ...(malware && { malware }) };
    return (await this.commands.send(UpdateScanning, { ...originOf(caller, request), settings })).settings;
  }

  @Get('reports/:digest')
  @Operation('packs.read', 'What a scanner said, as a verdict of the tenant names it', 'getScanReport')
  @ApiOkResponse({ type: ScanReportView })
  async report(@Param('digest') text: string, @Caller() caller: Principal): Promise<ScanReportView> {
    const digest = parseDigest(text);
    const blob = await this.reports.find(caller.tenant, digest);
    if (!blob) throw new DomainError('ERR_PACK_NOT_FOUND', 'no verdict of this tenant names such a scan report');
    return JSON.parse((await readWhole(this.blobs, blob, REPORT_MAX_BYTES)).toString('utf8')) as ScanReportView;
  }
}
