import { readFile } from 'node:fs/promises';
import { canonicalDigest } from '@packs/domain';
import { keyIdOf, readTrustBundle, requireSuccessor, trustEndings, trustMaterialJson, type SignedTrustBundle } from '@packs/sigstore';
import { Command } from 'commander';
import type { CliContext } from '../../terminal/cli-context';
import { wholeNumber } from '../../terminal/option-values';
import { printFields, withOutput, type OutputOptions } from '../../terminal/output';

interface ValidateOptions extends OutputOptions {
  readonly previous?: string;
  readonly tenant?: string;
  readonly warnDays: number;
}

const DAY_MS = 24 * 3_600_000;

export function validateCommand(context: CliContext): Command {
  return withOutput(
    new Command('validate').description('Checks a trust bundle on this machine, without asking anybody and without importing it'),
  )
    .argument('<file>', 'a trust bundle')
    .option('--previous <file>', 'the bundle in force, which this one is to replace')
    .option('--tenant <tenant>', 'who is to import it; absent: whom it names')
    .option('--warn-days <days>', 'tell of what ends within so many days', wholeNumber(0), 30)
    .action(async (file: string, { previous, tenant, warnDays, ...options }: ValidateOptions) => {
      const signed = readTrustBundle(await readFile(file));
      const now = new Date(context.now());
      const before = previous === undefined ? undefined : readTrustBundle(await readFile(previous)).bundle;
      requireSuccessor(signed, { tenant: tenant ?? signed.bundle.tenant, now, ...(before && { previous: before }) });
      const warnings = endingsWithin(signed, now, warnDays);
      const described = { valid: true, ...describeBundle(signed), warnings };
      printFields(context.stdout, options, described, {
        ...{ valid: 'yes', tenant: described.tenant, version: described.version, digest: described.digest, material: described.material },
        'valid from': described.validFrom,
        'valid until': described.validUntil,
        'root keys': described.root.keyIds,
        threshold: described.root.threshold,
        keys: signed.bundle.material.keys.map(({ name }) => name),
        warnings,
      });
    });
}

/** A bundle as it is shown to people and programs. */
export function describeBundle({ bundle, digest }: SignedTrustBundle) {
  const { tenant, version, validFrom, validUntil, root, material } = bundle;
  return {
    ...{ tenant, version, validFrom, validUntil, digest },
    material: canonicalDigest(trustMaterialJson(material)),
    root: { keyIds: root.keys.map(keyIdOf), threshold: root.threshold },
  };
}

function endingsWithin({ bundle }: SignedTrustBundle, now: Date, days: number): string[] {
  const limit = new Date(now.getTime() + days * DAY_MS).toISOString();
  const ends = [...trustEndings(bundle.material, now), { kind: 'bundle', name: `version ${bundle.version}`, at: bundle.validUntil }];
  return ends
    .filter(({ at }) => at <= limit)
    .map(({ kind, name, at }) => `${kind} ${name} ${at <= now.toISOString() ? 'ended' : 'ends'} ${at}`);
}
