import { DomainError } from '@packs/domain';
import { Command } from 'commander';
import { openSession } from '../../client/session';
import { readClaims } from '../../client/token-claims';
import type { CliContext } from '../../terminal/cli-context';
import { printFields, withOutput, type OutputOptions } from '../../terminal/output';

export function whoamiCommand(context: CliContext): Command {
  return withOutput(new Command('whoami').description('Shows what the token says')).action(async (options: OutputOptions) => {
    const { url, token } = await openSession(context);
    const claims = readClaims(token);
    if (!claims) throw new DomainError('ERR_PACK_AUTHENTICATION', 'the token is not a JWT');
    const { sub = null, client_id: clientId = null, tenant = null, scope = '', exp } = claims;
    const expiresAt = exp === undefined ? null : new Date(exp * 1000).toISOString();
    const shown = { registry: url, subject: sub, clientId, tenant, scopes: scope.split(' ').filter(Boolean), expiresAt };
    printFields(context.stdout, options, shown, shown);
  });
}
