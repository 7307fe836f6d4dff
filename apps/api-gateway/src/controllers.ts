import { AttestationStatesController } from './rest/attestation-states/attestation-states.controller';
import { AttestationsController } from './rest/attestations/attestations.controller';
import { ChangeLifecycleController } from './rest/change-lifecycle/change-lifecycle.controller';
import { ChannelsController } from './rest/channels/channels.controller';
import { ClientConfigController } from './rest/client-config/client-config.controller';
import { ComplianceSummaryController } from './rest/compliance-summary/compliance-summary.controller';
import { DeadLettersController } from './rest/dead-letters/dead-letters.controller';
import { DeprecateVersionController } from './rest/deprecate-version/deprecate-version.controller';
import { DownloadBundleController } from './rest/download-bundle/download-bundle.controller';
import { ExportEvidenceController } from './rest/export-evidence/export-evidence.controller';
import { ExportersController } from './rest/exporters/exporters.controller';
import { ExportsController } from './rest/exports/exports.controller';
import { GetPackController } from './rest/get-pack/get-pack.controller';
import { GetProvenanceController } from './rest/get-provenance/get-provenance.controller';
import { GetSignaturesController } from './rest/get-signatures/get-signatures.controller';
import { GetVerdictController } from './rest/get-verdict/get-verdict.controller';
import { GetVersionController } from './rest/get-version/get-version.controller';
import { ImportsController } from './rest/imports/imports.controller';
import { ListAuditController } from './rest/list-audit/list-audit.controller';
import { ListPacksController } from './rest/list-packs/list-packs.controller';
import { ListVersionsController } from './rest/list-versions/list-versions.controller';
import { MirrorsController } from './rest/mirrors/mirrors.controller';
import { PackChannelsController } from './rest/pack-channels/pack-channels.controller';
import { PacksAliasController } from './rest/packs-alias/packs-alias.controller';
import { ParityController } from './rest/parity/parity.controller';
import { PoliciesController } from './rest/policies/policies.controller';
import { PromoteVersionController } from './rest/promote-version/promote-version.controller';
import { PublishPackController } from './rest/publish-pack/publish-pack.controller';
import { ReplaysController } from './rest/replays/replays.controller';
import { ScrubsController } from './rest/scrubs/scrubs.controller';
import { SealController } from './rest/seal/seal.controller';
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
  ChangeLifecycleController,
  PromoteVersionController,
  PackChannelsController,
  ChannelsController,
  GetSignaturesController,
  GetVerdictController,
  AttestationsController,
  AttestationStatesController,
  GetProvenanceController,
  ExportEvidenceController,
  DownloadBundleController,
  StreamEventsController,
  ListAuditController,
  ComplianceSummaryController,
  TrustController,
  PoliciesController,
  VisibilityController,
  MirrorsController,
  ParityController,
  ExportsController,
  ImportsController,
  ExportersController,
  SealController,
  DeadLettersController,
  ReplaysController,
  ScrubsController,
  ClientConfigController,
  PacksAliasController,
];
