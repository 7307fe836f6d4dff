import { Command } from 'commander';
import { removeLogin } from '../../client/config-file';
import type { CliContext } from '../../terminal/cli-context';

export function logoutCommand(context: CliContext): Command {
  return new Command('logout').description('Forgets the login').action(async () => {
    const known = await removeLogin(context.env);
    context.stderr.write(known ? 'logged out\n' : 'was not logged in\n');
  });
}
