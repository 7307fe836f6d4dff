import { loginArguments, shown } from './stella-command';
import type { Stack } from './stack';

/** What a user can do next; every command works as printed, and none contains a secret. */
export function printWelcome(stack: Stack): void {
  const login = (client: string) => `npx stella login ${loginArguments(stack, client).join(' ')}`;
  const lines = [
    '',
    'The registry is ready.',
    `  API         ${stack.gatewayUrl}/api   (OpenAPI: ${stack.gatewayUrl}/api/openapi.json)`,
    `  Authority   ${stack.authorityUrl}`,
    `  Data, logs  ${shown(stack.dataDir)}`,
    '',
    'A token for curl, in another terminal in this folder:',
    `  export STELLA_TOKEN=$(${login('acme-publisher')} --print-token)`,
    '',
    'Five commands to go on with:',
    `  ${login('acme-publisher')}`,
    '  npx stella list',
    '  npx stella show secure-delivery',
    '  npx stella pull sbom-remediation --output-dir /tmp',
    `  curl -H "Authorization: Bearer $STELLA_TOKEN" ${stack.gatewayUrl}/api/audit`,
    '',
    'Ctrl-C stops everything; the data is kept.',
  ];
  console.log(lines.join('\n'));
}
