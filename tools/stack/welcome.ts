import { readSamples } from './samples';
import { publicKeyFile } from './show';
import { loginArguments, shown } from './stella-command';
import type { Stack } from './stack';

/** What a user can do next; every command works as printed, and none contains a secret. */
export function printWelcome(stack: Stack, options: { readonly samples: boolean }): void {
  console.log(
    [...whereItIs(stack), ...(options.samples ? nextCommands(stack) : []), '', 'Ctrl-C stops everything; the data is kept.'].join('\n'),
  );
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

function nextCommands(stack: Stack): string[] {
  const login = `npx stella login ${loginArguments(stack, 'acme-publisher').join(' ')}`;
  const samples = readSamples();
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return [];
  const file = `/tmp/${first.packId}-${first.version}.tgz`;
  return [
    '',
    'A token for curl, in another terminal in this folder:',
    `  export STELLA_TOKEN=$(${login} --print-token)`,
    '',
    'Five commands to go on with (the one above has logged you in):',
    '  npx stella pack list',
    `  npx stella pack show ${last.packId}@${last.version}`,
    `  npx stella pack pull ${first.packId}@${first.version} --out ${file} --key ${shown(publicKeyFile(stack))}`,
    '  npx stella audit --limit 5',
    `  curl -s -H "Authorization: Bearer $STELLA_TOKEN" ${stack.gatewayUrl}/api/packs`,
  ];
}
