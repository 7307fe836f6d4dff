import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { jsonFile, type GeneratedFile } from './generated-file';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly summary?: string }>>>>;
}

/** The API as the gateway describes itself. No app is imported: the gateway's own program prints it. */
export function readOpenApi(): OpenApi {
  const program = join(__dirname, '..', '..', 'apps', 'api-gateway', 'src', 'print-openapi.js');
  return JSON.parse(execFileSync(process.execPath, [program], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 })) as OpenApi;
}

export function openapi(): GeneratedFile[] {
  return [jsonFile('docs/openapi.json', readOpenApi())];
}
