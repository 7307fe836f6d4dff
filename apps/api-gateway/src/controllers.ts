import { ClientConfigController } from './rest/client-config/client-config.controller';
import { DeadLettersController } from './rest/dead-letters/dead-letters.controller';
import { DeprecateVersionController } from './rest/deprecate-version/deprecate-version.controller';
import { DownloadBundleController } from './rest/download-bundle/download-bundle.controller';
import { GetPackController } from './rest/get-pack/get-pack.controller';
import { GetSignaturesController } from './rest/get-signatures/get-signatures.controller';
import { GetVersionController } from './rest/get-version/get-version.controller';
import { ListAuditController } from './rest/list-audit/list-audit.controller';
import { ListPacksController } from './rest/list-packs/list-packs.controller';
import { ListVersionsController } from './rest/list-versions/list-versions.controller';
import { PacksAliasController } from './rest/packs-alias/packs-alias.controller';
import { PoliciesController } from './rest/policies/policies.controller';
import { PublishPackController } from './rest/publish-pack/publish-pack.controller';
import { StreamEventsController } from './rest/stream-events/stream-events.controller';
import { TrustController } from './rest/trust/trust.controller';
import { VisibilityController } from './rest/visibility/visibility.controller';

/** Every HTTP route of the product but health, metrics and the API's own description. */
export const CONTROLLERS = [
  ListPacksController,
  GetPackController,
  ListVersionsController,
  PublishPackController,
  GetVersionController,
  DeprecateVersionController,
  GetSignaturesController,
  DownloadBundleController,
  StreamEventsController,
  ListAuditController,
  TrustController,
  PoliciesController,
  VisibilityController,
  DeadLettersController,
  ClientConfigController,
  PacksAliasController,
];
