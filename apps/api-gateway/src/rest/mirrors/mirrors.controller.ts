import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  CreateMirror,
  DeleteMirror,
  MirrorJobList,
  MirrorJobQuery,
  MirrorJobView,
  MirrorList,
  MirrorRequest,
  MirrorResponse,
  MirrorSyncRequest,
  SyncMirror,
  UpdateMirror,
  type MirrorSettings,
} from '@packs/contracts';
import { DomainError, type Principal } from '@packs/domain';
import { CommandBus, MirrorReadModel } from '@packs/ports';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf } from '../../http/origin';

/** Where content is copied to or comes from, and how far that is. */
@ApiTags('mirrors')
@Controller('api/mirrors')
export class MirrorsController {
  constructor(
    private readonly mirrors: MirrorReadModel,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', "The tenant's mirrors", 'listMirrors')
  @ApiOkResponse({ type: MirrorList })
  async list(@Caller() caller: Principal): Promise<MirrorList> {
    return { mirrors: await this.mirrors.list(caller.tenant) };
  }

  @Post()
  @Operation('packs.admin', 'Add a mirror', 'createMirror', 'mutation')
  @ApiCreatedResponse({ type: MirrorResponse })
  async create(
    @Body() body: MirrorRequest,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MirrorResponse> {
    const { mirror } = await this.commands.send(CreateMirror, { ...originOf(caller, request), settings: settingsOf(body) });
    void reply.header('location', `/api/mirrors/${mirror.id}`);
    return mirror;
  }

  @Get(':id')
  @Operation('packs.read', 'A mirror', 'getMirror')
  @ApiOkResponse({ type: MirrorResponse })
  async get(@Param('id') id: string, @Caller() caller: Principal): Promise<MirrorResponse> {
    return this.find(caller, id);
  }

  @Put(':id')
  @Operation('packs.admin', "Replace a mirror's settings", 'putMirror', 'mutation')
  @ApiOkResponse({ type: MirrorResponse })
  async put(
    @Param('id') id: string,
    @Body() body: MirrorRequest,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
  ): Promise<MirrorResponse> {
    await this.find(caller, id);
    const { mirror } = await this.commands.send(UpdateMirror, { ...originOf(caller, request), id, settings: settingsOf(body) });
    return mirror;
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation('packs.admin', 'Forget a mirror; what lies at its location stays', 'deleteMirror', 'mutation')
  @ApiNoContentResponse()
  async remove(@Param('id') id: string, @Caller() caller: Principal, @Req() request: FastifyRequest): Promise<void> {
    await this.find(caller, id);
    await this.commands.send(DeleteMirror, { ...originOf(caller, request), id });
  }

  @Post(':id/sync')
  @HttpCode(202)
  @Operation('packs.admin', 'Sync a mirror now', 'syncMirror', 'mutation')
  @ApiAcceptedResponse({ type: MirrorJobView })
  async sync(
    @Param('id') id: string,
    @Body() body: MirrorSyncRequest | undefined,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MirrorJobView> {
    await this.find(caller, id);
    const { job } = await this.commands.send(SyncMirror, { ...originOf(caller, request), id, verify: body?.verify ?? false });
    void reply.header('location', `/api/mirrors/${id}/jobs/${job.id}`);
    return job;
  }

  @Get(':id/jobs')
  @Operation('packs.read', "A mirror's jobs, newest first", 'listMirrorJobs')
  @ApiOkResponse({ type: MirrorJobList })
  async jobs(@Param('id') id: string, @Query() query: MirrorJobQuery, @Caller() caller: Principal): Promise<MirrorJobList> {
    await this.find(caller, id);
    return this.mirrors.jobs(caller.tenant, id, query.cursor ?? null, query.limit);
  }

  @Get(':id/jobs/:jobId')
  @Operation('packs.read', 'How far a job is', 'getMirrorJob')
  @ApiOkResponse({ type: MirrorJobView })
  async job(@Param('id') id: string, @Param('jobId') jobId: string, @Caller() caller: Principal): Promise<MirrorJobView> {
    const job = await this.mirrors.job(caller.tenant, id, jobId);
    if (!job) throw new DomainError('ERR_MIRROR_NOT_FOUND', `no job ${jobId} of mirror ${id}`);
    return job;
  }

  private async find(caller: Principal, id: string): Promise<MirrorResponse> {
    const mirror = await this.mirrors.find(caller.tenant, id);
    if (!mirror) throw new DomainError('ERR_MIRROR_NOT_FOUND', `no mirror ${id}`);
    return mirror;
  }
}

function settingsOf({ name, kind, location, selection, intervalSeconds, enabled, pull }: MirrorRequest): MirrorSettings {
  const repositories = pull?.repositories.map(one => ({ ...one })) ?? [];
  return {
    ...{ name, kind, location, selection: { ...selection }, intervalSeconds: intervalSeconds ?? null, enabled },
    ...(pull && { pull: { ...pull, repositories } }),
  };
}
