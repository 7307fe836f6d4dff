import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AttestationDecision, AttestationHistory, AttestationPath, ContestAttestation, NamespaceQuery } from '@packs/contracts';
import { parseDigest, parsePackId, parseVersion, type Principal } from '@packs/domain';
import { CommandBus } from '@packs/ports';
import type { FastifyRequest } from 'fastify';
import { Caller } from '../../http/access';
import { Operation } from '../../http/docs';
import { originOf, viewpointOf } from '../../http/origin';
import { ServableAttestations } from '../../serving/servable-attestations';

/** How far what is attested is believed. */
@ApiTags('attestations')
@Controller('api/packs/:packId/versions/:version/attestations/:digest/states')
export class AttestationStatesController {
  constructor(
    private readonly attestations: ServableAttestations,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @Operation('packs.read', 'What an attestation counts for now, and what it has counted for', 'getAttestationStates')
  @ApiOkResponse({ type: AttestationHistory })
  get(@Param() path: AttestationPath, @Query() query: NamespaceQuery, @Caller() caller: Principal): Promise<AttestationHistory> {
    return this.attestations.history(viewpointOf(caller, query.namespace), path.packId, path.version, parseDigest(path.digest));
  }

  @Post()
  @HttpCode(200)
  @Operation(
    'packs.approve',
    'Contest an attestation: it is kept and no longer counts; or uphold it: it is judged as any other again',
    'contestAttestation',
    'mutation',
  )
  @ApiOkResponse({ type: AttestationHistory })
  async decide(
    @Param() path: AttestationPath,
    @Body() { decision, reason }: AttestationDecision,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
  ): Promise<AttestationHistory> {
    const target = { packId: parsePackId(path.packId), version: parseVersion(path.version), digest: parseDigest(path.digest) };
    const { digest } = await this.commands.send(ContestAttestation, {
      ...originOf(caller, request),
      ...target,
      decision: decision === 'contested' ? 'contest' : 'uphold',
      reason,
    });
    return this.attestations.history(viewpointOf(caller, undefined), target.packId, target.version, digest);
  }
}
