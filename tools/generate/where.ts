import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS, CONSUMER_COMMANDS, CONSUMERS, EVENTS } from '@packs/contracts';
import { REPOSITORY_ROOT } from '../stack/repository-root';
import { cliVerbs } from './cli-verbs';
import { consumerConstants, contractSources, sourceOf } from './contract-sources';
import type { GeneratedFile } from './generated-file';
import { code, codeLink, table } from './markdown';
import { routes } from './routes';
import { readSource, sourcesNaming } from './sources';

const README = 'README.md';
const SECTION = /(<!-- generated: where -->\n)[\s\S]*?(<!-- \/generated -->)/;

/**
 * README's table of what lies where.
 * @throws Error when something that crosses a border has no file of its own
 */
export function where(): GeneratedFile[] {
  if (!existsSync(join(REPOSITORY_ROOT, README))) return [];
  const readme = readSource(README);
  if (!SECTION.test(readme)) throw new Error(`${README} has no section between <!-- generated: where --> and <!-- /generated -->`);
  const content = table(['What', 'Where', 'Meaning'], [...routeRows(), ...commandRows(), ...eventRows(), ...consumerRows(), ...verbRows()]);
  return [{ path: README, content: readme.replace(SECTION, (_all, begin: string, end: string) => `${begin}\n${content}\n\n${end}`) }];
}

function routeRows(): string[][] {
  return routes().map(({ route, file, summary }) => [code(route), link(file), summary]);
}

/** Answers the commands that every consuming process has. */
const CONSUMER_HANDLER = 'libs/messaging/src/consumer-commands.ts';
const CONSUMER_SUBJECTS: ReadonlySet<string> = new Set(
  Object.values(CONSUMER_COMMANDS).flatMap(commands => Object.values(commands).map(({ subject }) => subject)),
);

/** A command is answered by the handler in the folder its subject names. */
function commandRows(): string[][] {
  const sources = contractSources();
  return COMMANDS.map(({ contract, answeredBy }) => {
    const useCase = contract.subject.split('.').at(-1);
    const shared = CONSUMER_SUBJECTS.has(contract.subject);
    const handler = shared ? CONSUMER_HANDLER : `apps/${answeredBy}/src/${useCase}/${useCase}.handler.ts`;
    if (!existsSync(join(REPOSITORY_ROOT, handler))) throw new Error(`command ${contract.subject} has no ${handler}`);
    return [code(contract.subject), link(handler), sourceOf(sources, contract.subject).meaning];
  });
}

function eventRows(): string[][] {
  const sources = contractSources();
  return EVENTS.map(({ type, producer, summary }) => {
    const { name } = sourceOf(sources, type);
    const emitters = sourcesNaming(`apps/${producer}/src`, name);
    if (emitters.length === 0) throw new Error(`nothing under apps/${producer} emits ${type}`);
    return [code(type), emitters.map(link).join(', '), summary];
  });
}

/** A consumer is bound to its use-case where its contract is named. */
function consumerRows(): string[][] {
  const constants = consumerConstants();
  return CONSUMERS.map(({ name, process, subject }) => {
    const constant = constants.get(name);
    const files = constant ? sourcesNaming(`apps/${process}/src`, constant) : [];
    if (files.length === 0) throw new Error(`nothing under apps/${process} consumes as ${name}`);
    return [`consumer ${code(name)}`, files.map(link).join(', '), `Takes events ${code(subject)}.`];
  });
}

function verbRows(): string[][] {
  return cliVerbs().map(({ verb, file, summary }) => [code(verb), link(file), summary]);
}

function link(file: string): string {
  return codeLink(file.replace(/^(apps|tools|libs)\//, ''), file);
}
