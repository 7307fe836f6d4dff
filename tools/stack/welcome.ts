import { kitPublicKeyFile } from './key-files';
import { kitFile } from './show/kit';
import { readSamples } from './show/sample-packs';
import { publicKeyFile } from './show/samples';
import { siteCommand } from './show/sealed-stack';
import type { Shown } from './show/show';
import type { Stack } from './stack';
import { loginArguments, shown } from './stella-command';

/** What a user can do next; every command works as printed, and none contains a secret. */
export function printWelcome(stack: Stack, { samples, thread }: Shown): void {
  const token = stack.ownAuthority ? tokenCommand(stack) : [];
  const lines = [...whereItIs(stack), ...token, ...(samples ? nextCommands(stack) : []), ...(thread ? threadCommands(stack) : [])];
  console.log([...lines, '', 'Ctrl-C stops everything; the data is kept.'].join('\n'));
}

function whereItIs(stack: Stack): string[] {
  return [
    '',
    'The registry is ready.',
    `  API         ${stack.gatewayUrl}/api   (OpenAPI: ${stack.gatewayUrl}/api/openapi.json)`,
    `  Authority   ${stack.authorityUrl}`,
    `  Data, logs  ${shown(stack.dataDir)}`,
  ];
}

function tokenCommand(stack: Stack): string[] {
  const login = `npx stella login ${loginArguments(stack, 'acme-publisher').join(' ')}`;
  return ['', 'A token for curl, in another terminal in this folder:', `  export STELLA_TOKEN=$(${login} --print-token)`];
}

function nextCommands(stack: Stack): string[] {
  const samples = readSamples();
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return [];
  const file = `/tmp/${first.packId}-${first.version}.tgz`;
  return [
    '',
    'Five commands to go on with (the one above has logged you in):',
    '  npx stella pack list',
    `  npx stella pack show ${last.packId}@${last.version}`,
    `  npx stella pack pull ${first.packId}@${first.version} --out ${file} --key ${shown(publicKeyFile(stack))}`,
    '  npx stella audit --limit 5',
    `  curl -s -H "Authorization: Bearer $STELLA_TOKEN" ${stack.gatewayUrl}/api/packs`,
  ];
}

function threadCommands(stack: Stack): string[] {
  return [
    '',
    'What else there is to look at:',
    '  npx stella mirror status local',
    '  npx stella parity show',
    '  npx stella compliance summary',
    `  npx stella pack mirror verify ${shown(kitFile(stack))} --key ${shown(kitPublicKeyFile(stack))}`,
    '',
    'The second registry is stopped. It takes nothing but kits; this starts it by itself:',
    `  ${siteCommand(stack)}`,
  ];
}
