/** What a registry wants to see before it answers (RFC 9110 §11.6.1, distribution's token protocol). */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string | undefined; readonly scope: string | undefined };

const PARAMETER = /([a-z_]+)="((?:[^"\\]|\\.)*)"/gi;

/** The first challenge that can be met; undefined: none. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const bearer = /(?:^|,\s*)bearer\s+(.*)$/i.exec(header ?? '')?.[1];
  if (bearer !== undefined) {
    const parameters = new Map(
      [...bearer.matchAll(PARAMETER)].map(([, name = '', value = '']) => [name.toLowerCase(), value.replace(/\\(.)/g, '$1')]),
    );
    const realm = parameters.get('realm');
    if (realm !== undefined) return { scheme: 'bearer', realm, service: parameters.get('service'), scope: parameters.get('scope') };
  }
  return /(?:^|,\s*)basic(?:\s|$)/i.test(header ?? '') ? { scheme: 'basic' } : undefined;
}
