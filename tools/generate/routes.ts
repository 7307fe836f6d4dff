import ts from 'typescript';
import { readOpenApi } from './openapi';
import { readSource, sourcesUnder } from './sources';

export interface Route {
  /** `GET /api/packs/{packId}` */
  readonly route: string;
  readonly file: string;
  readonly summary: string;
}

const VERBS = new Set(['Get', 'Post', 'Put', 'Patch', 'Delete', 'Head']);

/**
 * Every route of the gateway and the controller that answers it.
 * @throws Error when the decorators and the OpenAPI document name different routes
 */
export function routes(): Route[] {
  const files = new Map(sourcesUnder('apps/api-gateway/src').flatMap(file => routesIn(file).map(route => [route, file])));
  const described = Object.entries(readOpenApi().paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([verb, { summary }]) => ({ route: `${verb.toUpperCase()} ${path}`, summary: summary ?? '' })),
  );
  const controlled = described.map(({ route, summary }) => {
    const file = files.get(route);
    if (!file) throw new Error(`no controller under apps/api-gateway/src declares ${route}`);
    return { route, file, summary };
  });
  const undescribed = [...files.keys()].filter(route => controlled.every(known => known.route !== route));
  if (undescribed.length > 0) throw new Error(`the OpenAPI document lacks ${undescribed.join(', ')}`);
  return [...controlled, ...plainRoutes()];
}

/** Routes beneath Nest, which the OpenAPI document leaves out: `server.get('/healthz', …)`. */
function plainRoutes(): Route[] {
  return ['apps/api-gateway/src', 'libs/service-host/src'].flatMap(sourcesUnder).flatMap(file => {
    const calls = readSource(file).matchAll(/\bserver\.(get|post|put|delete)\('([^']+)'/g);
    return [...calls].map(([, verb = '', path = '']) => ({ route: `${verb.toUpperCase()} ${path}`, file, summary: '' }));
  });
}

function routesIn(file: string): string[] {
  const text = readSource(file);
  if (!text.includes('@Controller(')) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  return source.statements.filter(ts.isClassDeclaration).flatMap(controller => {
    const base = argumentOf(controller, 'Controller');
    if (base === undefined) return [];
    return controller.members.filter(ts.isMethodDeclaration).flatMap(method =>
      [...VERBS].flatMap(verb => {
        const path = argumentOf(method, verb);
        return path === undefined ? [] : [`${verb.toUpperCase()} ${join(base, path)}`];
      }),
    );
  });
}

/** The decorator's path: '' without an argument, undefined without the decorator. */
function argumentOf(node: ts.ClassDeclaration | ts.MethodDeclaration, decorator: string): string | undefined {
  for (const { expression } of ts.getDecorators(node) ?? []) {
    if (!ts.isCallExpression(expression) || expression.expression.getText() !== decorator) continue;
    const [path] = expression.arguments;
    if (!path) return '';
    if (ts.isStringLiteral(path)) return path.text;
    throw new Error(`${node.getSourceFile().fileName}: the path of @${decorator} is not a string literal`);
  }
  return undefined;
}

/** Nest's `:name` as OpenAPI writes it. */
function join(...parts: readonly string[]): string {
  const path = parts.filter(part => part !== '').join('/');
  return `/${path.replaceAll(/:(\w+)/g, '{$1}')}`;
}
