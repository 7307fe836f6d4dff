import { PROBLEMS } from '@packs/contracts';
import { page, type GeneratedFile } from './generated-file';
import { code, table } from './markdown';

export function errors(): GeneratedFile[] {
  const rows = Object.entries(PROBLEMS).map(([name, { status, title }]) => [code(name), String(status), title]);
  return [
    page(
      'docs/errors.md',
      '`libs/contracts`',
      '# Errors',
      'Every failure is `application/problem+json` (RFC 9457) with one of these in `code`. Codes are stable; titles and details may change.',
      table(['Code', 'HTTP status', 'Title'], rows),
    ),
  ];
}
