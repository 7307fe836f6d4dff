import { text } from 'node:stream/consumers';
import path from 'node:path';
import { DomainError } from '@packs/domain';
import { Command, Option } from 'commander';
import { writeLogin, type StoredLogin } from '../../client/config-file';
import { parseBaseUrl } from '../../client/http';
import { discoverIssuer, requestToken } from '../../client/oidc';
import { readSecretFile } from '../../client/session';
import { readClaims } from '../../client/token-claims';
import type { CliContext } from '../../terminal/cli-context';

interface LoginOptions {
  readonly url?: string;
  readonly issuer?: string;
  readonly clientId: string;
  readonly clientSecretFile?: string;
  readonly clientSecretStdin?: true;
  readonly scope?: string;
  readonly insecureHttp?: true;
  readonly printToken?: true;
}

/** A secret is never an argument: other users of the machine can read those. */
export function loginCommand(context: CliContext): Command {
  return new Command('login')
    .description('Gets a token for a registry and keeps it')
    .option('--url <registry>', 'where the registry is (or STELLA_REGISTRY_URL)')
    .option('--issuer <url>', 'who issues its tokens; absent: the registry is asked')
    .requiredOption('--client-id <id>', 'the client to log in as')
    .addOption(
      new Option('--client-secret-file <file>', "file with the client's secret; remembered to renew the token").conflicts(
        'clientSecretStdin',
      ),
    )
    .option('--client-secret-stdin', "read the client's secret from stdin")
    .option('--scope <scopes>', 'ask for these scopes only')
    .option('--insecure-http', 'allow plain http to another machine')
    .option('--print-token', 'print the token on stdout')
    .action((options: LoginOptions) => login(context, options));
}

async function login(context: CliContext, options: LoginOptions): Promise<void> {
  const { clientId, scope, insecureHttp: insecure } = options;
  const given = options.url ?? context.env['STELLA_REGISTRY_URL'];
  if (!given) throw new DomainError('ERR_PACK_REQUEST_INVALID', 'give --url or STELLA_REGISTRY_URL');
  const url = parseBaseUrl(given, '--url', { insecure });
  const secretFile = options.clientSecretFile && path.resolve(options.clientSecretFile);
  const secret = await readSecret(context, options.clientSecretStdin, secretFile);
  const issuer = parseBaseUrl(options.issuer ?? (await discoverIssuer(url)), 'the issuer', { insecure });
  const token = await requestToken({ issuer, clientId, secret, scope }, context.now());
  const stored: StoredLogin = { url, issuer, clientId, scope, secretFile, ...token };
  await writeLogin(context.env, stored);
  const { tenant = 'no tenant', scope: granted = 'no scope' } = readClaims(token.token) ?? {};
  context.stderr.write(`logged in to ${url} as ${clientId} of ${tenant} (${granted}) until ${new Date(token.expiresAt).toISOString()}\n`);
  if (options.printToken) context.stdout.write(`${token.token}\n`);
}

async function readSecret(context: CliContext, stdin: boolean | undefined, file: string | undefined): Promise<string> {
  if (file) return readSecretFile(file);
  if (!stdin) throw new DomainError('ERR_PACK_REQUEST_INVALID', 'give --client-secret-file or --client-secret-stdin');
  const secret = (await text(context.stdin)).replace(/\r?\n$/, '');
  if (secret === '') throw new DomainError('ERR_PACK_REQUEST_INVALID', 'there is no secret on stdin');
  return secret;
}
