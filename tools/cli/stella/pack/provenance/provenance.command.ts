import type { BuildView, ProvenanceReport } from '@packs/contracts';
import { Command } from 'commander';
import { parseVersionReference } from '../../../client/pack-reference';
import { RegistryClient, packPath } from '../../../client/registry-client';
import type { CliContext } from '../../../terminal/cli-context';
import { printFields, printRows, withOutput, type OutputOptions } from '../../../terminal/output';

interface ProvenanceOptions extends OutputOptions {
  readonly namespace?: string;
}

export function provenanceCommand(context: CliContext): Command {
  return withOutput(new Command('provenance').description('Shows where a version comes from, as far as verified attestations say'))
    .argument('<packId@version>')
    .option('--namespace <tenant>', "another tenant's pack that is visible")
    .action(async (reference: string, { namespace, ...options }: ProvenanceOptions) => {
      const { packId, version } = parseVersionReference(reference);
      const registry = await RegistryClient.open(context);
      printReport(context, options, await registry.get<ProvenanceReport>(`${packPath(packId, version)}/provenance`, { namespace }));
    });
}

function printReport({ stdout }: CliContext, options: OutputOptions, report: ProvenanceReport): void {
  if (options.output === 'json') return printFields(stdout, options, report, {});
  const { builds, sboms, tests, others, digest, manifestDigest } = report;
  printFields(stdout, options, report, { bundle: digest, manifest: manifestDigest });
  for (const build of builds) {
    stdout.write('\n');
    printFields(stdout, options, report, fieldsOf(build));
  }
  const statements = [
    ...sboms.map(sbom => ({ ...sbom, says: `SBOM, ${sbom.format} ${sbom.specVersion ?? ''}, ${sbom.components} components` })),
    ...tests.map(test => ({ ...test, says: `tests ${test.result ?? 'without a result'}, ${test.passed} passed, ${test.failed} failed` })),
    ...others.map(other => ({ ...other, says: other.predicateType })),
  ];
  if (statements.length === 0) return;
  stdout.write('\n');
  printRows(stdout, options, report, statements, [
    ['STATED', row => row.says],
    ['BY', row => row.signers.map(({ name }) => name).join(' ')],
    ['ATTESTATION', row => row.attestation],
  ]);
}

function fieldsOf(build: BuildView): Record<string, string> {
  const { source, leftOut } = build;
  return {
    builder: build.builder ?? '-',
    'build type': build.buildType ?? '-',
    source: source ? [source.repository, source.ref].filter(Boolean).join(' ') : '-',
    commit: source?.commit ?? '-',
    invocation: build.invocation ?? '-',
    started: build.startedAt ?? '-',
    finished: build.finishedAt ?? '-',
    materials: String(build.materialCount),
    'stated by': build.signers.map(({ name }) => name).join(' '),
    attestation: build.attestation,
    ...(leftOut.length > 0 && { 'left out': leftOut.join(' ') }),
  };
}
