import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AuditReadModel, BlobStore, CommandBus, ContentCatalog, PackReadModel, TrustReadModel } from '@packs/ports';
import { CONTROLLERS } from './controllers';
import { buildOpenApi } from './openapi';
import { ClientConfig } from './rest/client-config/client-config.controller';
import { BundleReceiver } from './rest/publish-pack/receive-bundle';
import { EventFeed } from './rest/stream-events/event-feed';
import { MAX_EVENT_STREAMS } from './rest/stream-events/stream-events.controller';
import { BundleSender } from './serving/send-bundle';
import { ServableVersions } from './serving/servable-versions';

/** Nothing is called while the routes are described. */
const UNUSED = [
  AuditReadModel,
  BlobStore,
  BundleReceiver,
  BundleSender,
  ClientConfig,
  CommandBus,
  ContentCatalog,
  EventFeed,
  MAX_EVENT_STREAMS,
  PackReadModel,
  ServableVersions,
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
