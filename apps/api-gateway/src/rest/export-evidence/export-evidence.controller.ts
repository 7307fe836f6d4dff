import { Readable } from 'node:stream';
import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { EvidenceQuery, RecordEvidenceExport } from '@packs/contracts';
import { parsePackId, parseVersion, type Principal } from '@packs/domain';
import { tarBytes, tarSize } from '@packs/pack-format';
import { CommandBus } from '@packs/ports';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';
import { ExportEvidence } from './export-evidence';

@ApiTags('attestations')
@Controller('api/packs/:packId/versions/:version/evidence')
export class ExportEvidenceController {
  constructor(
    private readonly exportEvidence: ExportEvidence,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation(
    'packs.read',
    "All that shows what a version of the tenant's own is, as one file that stock tools can check; it is audited",
    'getEvidence',
  )
  @ApiProduces('application/x-tar')
  @ApiOkResponse({
    description: 'The same state of the version is the same bytes; `Stella-Audit-Seq` is the last audit entry in it',
    schema: { type: 'string', format: 'binary' },
  })
  async get(
    @Param('packId') packId: string,
    @Param('version') version: string,
    @Query() { bundle }: EvidenceQuery,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const target = { packId: parsePackId(packId), version: parseVersion(version) };
    const withBundle = bundle ?? false;
    const { files, seq } = await this.exportEvidence.execute(caller.tenant, target.packId, target.version, withBundle);
    await this.commands.send(RecordEvidenceExport, { ...originOf(caller, request), ...target, seq, withBundle });
    await reply
      .headers({
        'content-type': 'application/x-tar',
        'content-length': tarSize(files),
        'content-disposition': `attachment; filename="${target.packId}-${target.version}.evidence.tar"`,
        'cache-control': 'private, no-store',
        'stella-audit-seq': seq,
      })
      .send(Readable.from(tarBytes(files), { objectMode: false }));
  }
}
