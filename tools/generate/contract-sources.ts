import { CONSUMER_PROCESSES } from '@packs/contracts';
import ts from 'typescript';
import { readSource, sourcesUnder } from './sources';

/** Where a message is defined, as what, and what its comment says. */
export interface ContractSource {
  readonly name: string;
  readonly file: string;
  readonly meaning: string;
}

/**
 * The definitions `export const Name = command({ subject: '…' })` and `export const Name = event('…')` of libs/contracts, by subject, and
 * the members `name: command({ subject: `cmd.${process}.…` })` that every consuming process has.
 * Contracts are values without a name or comment of their own, so the sources are read.
 */
export function contractSources(): ReadonlyMap<string, ContractSource> {
  const found = new Map<string, ContractSource>();
  for (const file of sourcesUnder('libs/contracts/src')) {
    const source = ts.createSourceFile(file, readSource(file), ts.ScriptTarget.Latest, true);
    for (const statement of source.statements.filter(ts.isVariableStatement)) {
      for (const { name, initializer } of statement.declarationList.declarations) {
        const subject = initializer && ts.isCallExpression(initializer) ? subjectOf(initializer) : undefined;
        if (subject) found.set(subject, { name: name.getText(), file, meaning: commentOf(statement) });
      }
    }
    for (const member of membersOf(source)) {
      for (const process of CONSUMER_PROCESSES) found.set(member.subject.replace('${process}', process), { ...member, file });
    }
  }
  return found;
}

/** Names of the constants `export const NAME: ConsumerContract = { name: '…' }`, by the consumer's name. */
export function consumerConstants(): ReadonlyMap<string, string> {
  const declaration = /export const (\w+): ConsumerContract = \{\s*name: '([^']+)'/g;
  const texts = sourcesUnder('libs/contracts/src').map(readSource);
  return new Map(
    texts.flatMap(text => [...text.matchAll(declaration)].map(([, constant = '', name = '']): [string, string] => [name, constant])),
  );
}

/** @throws Error when no definition has this subject */
export function sourceOf(sources: ReadonlyMap<string, ContractSource>, subject: string): ContractSource {
  const source = sources.get(subject);
  if (!source) throw new Error(`no \`export const … = command(…)\` or \`event(…)\` in libs/contracts defines ${subject}`);
  return source;
}

function subjectOf(call: ts.CallExpression): string | undefined {
  const [first] = call.arguments;
  if (!first) return undefined;
  const maker = call.expression.getText();
  if (maker === 'event' && ts.isStringLiteral(first)) return first.text;
  if (maker !== 'command' || !ts.isObjectLiteralExpression(first)) return undefined;
  const subject = first.properties.filter(ts.isPropertyAssignment).find(property => property.name.getText() === 'subject');
  return subject && ts.isStringLiteral(subject.initializer) ? subject.initializer.text : undefined;
}

function membersOf(node: ts.Node): { readonly name: string; readonly subject: string; readonly meaning: string }[] {
  const inner: ReturnType<typeof membersOf> = [];
  if (ts.isPropertyAssignment(node) && ts.isCallExpression(node.initializer) && node.initializer.expression.getText() === 'command') {
    const subject = /subject: `(cmd\.\$\{process\}\.[a-z-]+)`/.exec(node.initializer.getText())?.[1];
    if (subject) inner.push({ name: node.name.getText(), subject, meaning: commentOf(node) });
  }
  ts.forEachChild(node, child => void inner.push(...membersOf(child)));
  return inner;
}

function commentOf(node: ts.Node): string {
  return ts
    .getJSDocCommentsAndTags(node)
    .map(doc => ts.getTextOfJSDocComment(doc.comment) ?? '')
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
