import { CONSUMER_COMMANDS, CONSUMER_PROCESSES } from '../commands/consumer-commands';
import { AddAttestation, VerifyAttestation } from '../commands/attestation-commands';
import type { CommandContract } from '../commands/command-contract';
import { ArchiveVersion, PromoteVersion, UpdateChannel } from '../commands/channel-commands';
import { DeprecateVersion, PublishPack, UpdatePolicy, UpdateTrust, UpdateVisibility } from '../commands/publisher-commands';
import { ExportKit, ImportKit, ReceiveKit, UpdateExporters } from '../commands/kit-commands';
import { CancelScrub, GetScrub, QuarantineBlob, ReplaceBlob, StartScrub } from '../commands/content-commands';
import { CarryReferrers } from '../commands/carry-referrers';
import { FetchArtifact } from '../commands/fetch-artifact';
import { CreateMirror, DeleteMirror, SyncMirror, UpdateMirror } from '../commands/mirror-commands';
import { ApproveUnseal, UpdateSeal } from '../commands/seal-commands';
import { CheckParity } from '../commands/parity-commands';
import { DeleteContent, PutManifest } from '../commands/repository-commands';
import { RotateTrust } from '../commands/trust-commands';
import { ReverifyVersion, VerifyBundle } from '../commands/verify-bundle';
import { EVENT_STREAM } from '../events/event-contract';
import { EVENTS } from '../events/registry-events';
import { inboxPrefix, PROCESSES, type ProcessName } from './processes';

/** Who calls and who answers each command. */
export const COMMANDS: readonly {
  readonly contract: CommandContract;
  readonly callers: readonly ProcessName[];
  readonly answeredBy: ProcessName;
}[] = [
  { contract: PublishPack, callers: ['api-gateway', 'mirror-worker'], answeredBy: 'publisher' },
  { contract: PutManifest, callers: ['api-gateway', 'mirror-worker'], answeredBy: 'publisher' },
  { contract: DeleteContent, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: DeprecateVersion, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: ArchiveVersion, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: PromoteVersion, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: UpdateChannel, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: UpdateTrust, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: RotateTrust, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: UpdatePolicy, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: UpdateVisibility, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: VerifyBundle, callers: ['publisher'], answeredBy: 'verifier' },
  { contract: ReverifyVersion, callers: ['api-gateway', 'publisher', 'mirror-worker'], answeredBy: 'verifier' },
  { contract: AddAttestation, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: VerifyAttestation, callers: ['api-gateway', 'publisher', 'mirror-worker'], answeredBy: 'verifier' },
  { contract: CreateMirror, callers: ['api-gateway'], answeredBy: 'mirror-worker' },
  { contract: UpdateMirror, callers: ['api-gateway'], answeredBy: 'mirror-worker' },
  { contract: DeleteMirror, callers: ['api-gateway'], answeredBy: 'mirror-worker' },
  { contract: SyncMirror, callers: ['api-gateway'], answeredBy: 'mirror-worker' },
  { contract: FetchArtifact, callers: ['api-gateway'], answeredBy: 'mirror-worker' },
  { contract: CarryReferrers, callers: ['api-gateway'], answeredBy: 'mirror-worker' },
  { contract: ExportKit, callers: ['api-gateway'], answeredBy: 'mirror-worker' },
  { contract: ReceiveKit, callers: ['api-gateway'], answeredBy: 'mirror-worker' },
  { contract: ImportKit, callers: ['mirror-worker'], answeredBy: 'publisher' },
  { contract: UpdateExporters, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: UpdateSeal, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: ApproveUnseal, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: QuarantineBlob, callers: ['api-gateway', 'publisher', 'verifier', 'mirror-worker'], answeredBy: 'publisher' },
  { contract: ReplaceBlob, callers: ['api-gateway', 'publisher', 'mirror-worker'], answeredBy: 'publisher' },
  { contract: StartScrub, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: GetScrub, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: CancelScrub, callers: ['api-gateway'], answeredBy: 'publisher' },
  { contract: CheckParity, callers: ['api-gateway'], answeredBy: 'parity-worker' },
  ...CONSUMER_PROCESSES.flatMap(answeredBy =>
    Object.values(CONSUMER_COMMANDS[answeredBy]).map(contract => ({ contract, callers: ['api-gateway' as const], answeredBy })),
  ),
];

/** A consumer of the event stream. Its name is the durable's, and the key of its inbox. */
export interface ConsumerContract {
  readonly name: string;
  readonly process: ProcessName;
  readonly subject: string;
}

export const AUDIT_CONSUMER: ConsumerContract = { name: 'compliance-audit', process: 'compliance', subject: '>' };
export const MIRROR_CONSUMER: ConsumerContract = { name: 'mirror-plan', process: 'mirror-worker', subject: '>' };

export const PARITY_CONSUMER: ConsumerContract = { name: 'parity-plan', process: 'parity-worker', subject: '>' };

/** Keeps `compliance.*_coverage`. */
export const COVERAGE_CONSUMER: ConsumerContract = { name: 'compliance-coverage', process: 'compliance', subject: '>' };

/** Everybody who takes events from the stream. */
export const CONSUMERS: readonly ConsumerContract[] = [AUDIT_CONSUMER, COVERAGE_CONSUMER, MIRROR_CONSUMER, PARITY_CONSUMER];

/** Core NATS signals that say "look again"; losing one costs only time. */
export const WAKE_AUDIT = 'wake.audit';

export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** What each NATS user may do; everything else is denied. */
export const natsPermissions: Readonly<Record<ProcessName, NatsPermissions>> = Object.fromEntries(
  PROCESSES.map(process => [process, permissionsOf(process)]),
) as Record<ProcessName, NatsPermissions>;

function permissionsOf(process: ProcessName): NatsPermissions {
  const answers = COMMANDS.filter(command => command.answeredBy === process);
  const calls = COMMANDS.filter(command => command.callers.includes(process));
  const emits = EVENTS.filter(event => event.producer === process);
  const consumers = CONSUMERS.filter(consumer => consumer.process === process);
  const replyPrefixes = new Set(answers.flatMap(command => command.callers).map(caller => `${inboxPrefix(caller)}.>`));
  return {
    publish: [
      ...calls.map(command => command.contract.subject),
      ...replyPrefixes,
      ...emits.map(event => event.type),
      ...(emits.length > 0 ? streamApi(['INFO', 'CREATE', 'UPDATE']) : []),
      ...(consumers.length > 0 ? streamApi(['INFO']) : []),
      ...consumers.flatMap(consumerApi),
      ...(process === 'compliance' ? [WAKE_AUDIT] : []),
    ],
    subscribe: [
      ...answers.map(command => command.contract.subject),
      `${inboxPrefix(process)}.>`,
      ...(process === 'api-gateway' ? [WAKE_AUDIT] : []),
    ],
  };
}

function streamApi(verbs: readonly string[]): string[] {
  return ['$JS.API.INFO', ...verbs.map(verb => `$JS.API.STREAM.${verb}.${EVENT_STREAM.name}`)];
}

function consumerApi({ name }: ConsumerContract): string[] {
  const at = `${EVENT_STREAM.name}.${name}`;
  return [
    `$JS.API.CONSUMER.CREATE.${at}`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${at}`,
    `$JS.API.CONSUMER.INFO.${at}`,
    `$JS.API.CONSUMER.MSG.NEXT.${at}`,
    `$JS.ACK.${at}.>`,
  ];
}
