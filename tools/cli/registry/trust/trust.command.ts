import type { TrustAnswer, TrustBundleAnswer } from '@packs/contracts';
import { Command } from 'commander';
import { RegistryClient } from '../../client/registry-client';
import { RegistryProblem } from '../../client/registry-problem';
import type { CliContext } from '../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../terminal/output';
import { rotateCommand } from './rotate.command';
import { signCommand } from './sign.command';
import { validateCommand } from './validate.command';

const BUNDLE_ROUTE = '/api/trust/bundle';

export function trustCommand(context: CliContext): Command {
  const trust = new Command('trust').description('Trust bundles: what a tenant trusts, in files that its owners sign');
  withOutput(trust.command('show').description('Shows what is in force for the tenant, and the bundle it came from')).action(
    async (options: OutputOptions) => {
      const registry = await RegistryClient.open(context);
      const active = await registry.get<TrustAnswer>('/api/trust');
      show(context, options, active, await currentBundle(registry));
    },
  );
  for (const command of [validateCommand(context), signCommand(context), rotateCommand(context)]) trust.addCommand(command);
  return trust;
}

async function currentBundle(registry: RegistryClient): Promise<TrustBundleAnswer | null> {
  try {
    return await registry.get<TrustBundleAnswer>(BUNDLE_ROUTE);
  } catch (error) {
    if (error instanceof RegistryProblem && error.code === 'ERR_PACK_NOT_FOUND') return null;
    throw error;
  }
}

function show(context: CliContext, options: OutputOptions, trust: TrustAnswer, bundle: TrustBundleAnswer | null): void {
  const { epoch, digest, keys, trustedRoots = [], revoked } = trust;
  printFields(
    context.stdout,
    options,
    { trust, bundle },
    {
      epoch,
      digest,
      keys: keys.map(
        ({ name, notBefore, notAfter }) => `${name}${notBefore ? ` from ${notBefore}` : ''}${notAfter ? ` until ${notAfter}` : ''}`,
      ),
      'trusted roots': trustedRoots.length,
      revoked: [revoked?.keys ?? [], revoked?.identities ?? [], revoked?.digests ?? []].flat().length,
      bundle: bundle ? `version ${bundle.version}, valid until ${bundle.validUntil}` : 'none',
      'bundle digest': bundle?.digest,
      'in step': bundle ? (bundle.material === digest ? 'yes' : `no: the bundle says ${bundle.material}`) : '',
      'root keys': bundle?.root.keyIds,
      threshold: bundle?.root.threshold,
      imported: bundle ? `${bundle.importedAt} by ${bundle.importedBy}` : '',
    },
  );
}
