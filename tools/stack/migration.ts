import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { ENV_PREFIX, type ProcessName } from '@packs/contracts';
import { inheritedBy, type Environment } from './environment';
import { builtFile } from './repository-root';
import { StepError } from './step-error';

const TIME_OUT_MS = 60_000;

/** Runs `migrate`, the only program that is given the administrator's address. */
export async function migrate(
  adminUrl: string,
  urls: Readonly<Record<string, string>>,
  auditorUrl: string,
  environment: Environment,
): Promise<void> {
  const main = builtFile('tools', 'migrate', 'main.js');
  if (!existsSync(main))
    throw new StepError(
      `migrate is not built: there is no ${main}.`,
      'This checkout lacks it, or the build was interrupted: delete dist/ and run `npm start`.',
    );
  const logins = Object.entries(urls).map(([name, url]) => [`${ENV_PREFIX[name as ProcessName]}_DATABASE_URL`, url]);
  const child = spawn(process.execPath, ['--enable-source-maps', main], {
    env: {
      ...inheritedBy('tool', environment),
      DATABASE_ADMIN_URL: adminUrl,
      AUDITOR_DATABASE_URL: auditorUrl,
      ...Object.fromEntries(logins),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIME_OUT_MS,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (said += String(text)));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code === 0) return;
  throw new StepError(
    `migrate ended with ${signal ?? `code ${code}`}: ${said.trim().split('\n').slice(-15).join('\n')}`,
    'Correct the database named above; `npm start -- --fresh` starts with empty data.',
  );
}
