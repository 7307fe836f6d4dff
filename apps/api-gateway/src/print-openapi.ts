import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  AttestationReadModel,
  AuditReadModel,
  BlobStore,
  ChannelReadModel,
  Clock,
  CommandBus,
  ComplianceReadModel,
  ContentCatalog,
  KitReadModel,
  MirrorReadModel,
  NamespacePolicies,
  ParityReadModel,
  PackReadModel,
  TrustReadModel,
} from '@packs/ports';
import { CONTROLLERS } from './controllers';
import { buildOpenApi } from './openapi';
import { CurrentSeal } from './http/sealed-mode';
import { ClientConfig } from './rest/client-config/client-config.controller';
import { AttestationReceiver } from './rest/attestations/receive-attestation';
import { BundleReceiver } from './rest/publish-pack/receive-bundle';
import { EventFeed } from './rest/stream-events/event-feed';
import { MAX_EVENT_STREAMS } from './rest/stream-events/stream-events.controller';
import { KitReceiver } from './rest/imports/receive-kit';
import { BundleSender } from './serving/send-bundle';
import { ServableAttestations } from './serving/servable-attestations';
import { ServableVersions } from './serving/servable-versions';

/** Nothing is called while the routes are described. */
const UNUSED = [
  AttestationReadModel,
  AttestationReceiver,
  AuditReadModel,
  BlobStore,
  BundleReceiver,
  BundleSender,
  ChannelReadModel,
  Clock,
  ClientConfig,
  CommandBus,
  ComplianceReadModel,
  ContentCatalog,
  EventFeed,
  KitReadModel,
  KitReceiver,
  MAX_EVENT_STREAMS,
  MirrorReadModel,
  NamespacePolicies,
  ParityReadModel,
  PackReadModel,
  ServableAttestations,
  ServableVersions,
  CurrentSeal,
  TrustReadModel,
].map(provide => ({ provide, useValue: {} }));

@Module({ controllers: CONTROLLERS, providers: UNUSED })
class RoutesModule {}

/** Prints the API's description without a database or a bus, for the checked-in copy. */
async function main(): Promise<void> {
  const app = await NestFactory.create(RoutesModule, new FastifyAdapter(), { logger: false });
  process.stdout.write(`${JSON.stringify(buildOpenApi(app), null, 2)}\n`);
}

void main();
