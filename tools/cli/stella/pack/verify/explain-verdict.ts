import type { VerdictAnswer } from '@packs/contracts';
import { CHECK_REASONS, DomainError, VERDICT_CHECKS, type Check, type Verdict } from '@packs/domain';
import type { RegistryClient } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, printRows, type OutputOptions } from '../../../terminal/output';

interface Reference {
  readonly packId: string;
  readonly version: string;
  readonly namespace?: string;
}

/**
 * Prints what the registry concluded about a version: by the stored verdict, or by that of now where the keys have changed since.
 * @throws DomainError ERR_PACK_WITHDRAWN after it was printed
 */
export async function explainVerdict(
  context: CliContext,
  registry: RegistryClient,
  { packId, version, namespace }: Reference,
  options: OutputOptions,
): Promise<void> {
  const path = `/api/packs/${packId}/versions/${encodeURIComponent(version)}/verdict`;
  const answer = await registry.get<VerdictAnswer>(path, { namespace });
  const verdict = answer.current ?? answer.stored;
  if (options.output === 'json') printFields(context.stdout, options, answer, {});
  else printVerdict(context, options, answer, verdict);
  if (answer.state === 'served') return;
  throw new DomainError('ERR_PACK_WITHDRAWN', `${packId} ${version} is withdrawn: it no longer satisfies its policy`, {
    errors: answer.faults.map(({ message, field, pointer, reason, code }) => ({
      field: field ?? pointer ?? reason ?? code,
      message: reason ? `${message} (${reason})` : message,
    })),
  });
}

function printVerdict(context: CliContext, options: OutputOptions, { state }: VerdictAnswer, verdict: Verdict & { hash: string }): void {
  const { policy, trust, identities, evidence, attestations = [], evaluatedAt, hash } = verdict;
  printFields(context.stdout, options, undefined, {
    state,
    verdict: `${verdict.outcome} ${hash}`,
    'evaluated at': evaluatedAt,
    policy: policy && `${policy.name} version ${policy.version} ${policy.digest}`,
    trust: `epoch ${trust.epoch} ${trust.digest}`,
    'signed by': identities.map(one => (one.kind === 'key' ? `${one.name} (${one.keyId})` : `${one.name} (${one.issuer})`)),
    signatures: evidence,
    attestations,
  });
  printRows(context.stdout, options, undefined, verdict.checks, [
    ['CHECK', ({ id }) => id],
    ['OUTCOME', ({ outcome }) => outcome],
    ['REASON', ({ reason }) => reason],
    ['EVIDENCE', check => check.evidence],
    ['MEANING', meaningOf],
  ]);
}

function meaningOf({ id, outcome, reason }: Check): string {
  if (outcome === 'pass' && reason === 'ok') return VERDICT_CHECKS[id];
  return Object.entries(CHECK_REASONS).find(([code]) => code === reason)?.[1] ?? `not so: ${VERDICT_CHECKS[id]}`;
}
