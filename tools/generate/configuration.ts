import { PROCESS_SETTINGS, TOOL_SETTINGS, type Setting } from '@packs/config';
import { STACK_SETTINGS } from '../stack/environment';
import { page, type GeneratedFile } from './generated-file';
import { code, table } from './markdown';

type Documented = Pick<Setting<unknown>, 'name' | 'doc' | 'fallback' | 'optional' | 'secret' | 'example'>;

interface Variable {
  readonly setting: Documented;
  readonly readers: readonly string[];
}

/** The table of every setting, and an example environment. */
export function configuration(): GeneratedFile[] {
  const variables = everyVariable();
  const tools = TOOL_SETTINGS.map(setting => ({ setting, readers: ['tools'] }));
  const stack = STACK_SETTINGS.map(({ name, default: fallback, meaning }) => [code(name), meaning, fallback]);
  const configurationPage = page(
    'docs/configuration.md',
    '`libs/config` and `tools/stack`',
    '# Configuration',
    'Settings are environment variables. A process names every fault of its environment at once and exits with 78.',
    '## Processes',
    table(
      ['Variable', 'Read by', 'Meaning', 'Default', 'Secret'],
      variables.map(variable => row(variable)),
    ),
    '## Tools',
    table(
      ['Variable', 'Read by', 'Meaning', 'Default', 'Secret'],
      tools.map(tool => row(tool)),
    ),
    '## npm start',
    'What `npm start` itself understands. A setting that begins with the prefix of a process is handed to that process as it is.',
    table(['Variable', 'Meaning', 'Default'], stack),
  );
  return [configurationPage, { path: '.env.example', content: exampleOf([...variables, ...tools]) }];
}

function everyVariable(): Variable[] {
  const variables = new Map<string, { setting: Documented; readers: string[] }>();
  for (const [process, settings] of Object.entries(PROCESS_SETTINGS)) {
    for (const setting of Object.values<Documented>(settings)) {
      const known = variables.get(setting.name);
      if (known) known.readers.push(process);
      else variables.set(setting.name, { setting, readers: [process] });
    }
  }
  // Common settings first, then those of one process each.
  return [...variables.values()].sort((a, b) => Number(b.readers.length > 1) - Number(a.readers.length > 1));
}

function row({ setting, readers }: Variable): string[] {
  const { name, doc, fallback, optional, secret } = setting;
  const absent = fallback !== undefined ? code(fallback) : optional ? 'none' : 'required';
  return [code(name), readers.join(', '), doc, absent, secret ? 'yes' : ''];
}

function exampleOf(variables: readonly Variable[]): string {
  const blocks = variables.map(({ setting: { name, doc, fallback, example, optional }, readers }) => {
    const isSet = fallback === undefined && !optional;
    return `# ${doc} (${readers.join(', ')})\n${isSet ? '' : '# '}${name}=${fallback ?? example ?? ''}`;
  });
  return `# Made by \`npm run gen\` from libs/config. A line that begins with # shows what holds when it is absent.\n\n${blocks.join('\n\n')}\n`;
}
