import type { FieldFault } from '@packs/domain';

/** A fault of a problem document; those of a verdict have a code each. */
export interface ProblemFault extends FieldFault {
  readonly code?: string;
}

/** An answer of the registry that is not a success (RFC 9457). Its code may be one this command does not know yet. */
export class RegistryProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly faults: readonly ProblemFault[],
  ) {
    super(detail);
    this.name = 'RegistryProblem';
  }
}

const BODY_MAX = 256 * 1024;

export async function problemOf(response: Response): Promise<RegistryProblem> {
  const body = await readObject(response);
  const text = (name: string): string | undefined => (typeof body[name] === 'string' && body[name] !== '' ? body[name] : undefined);
  const code = text('code') ?? `HTTP ${response.status}`;
  const detail = text('detail') ?? text('title') ?? `${new URL(response.url).origin} answered ${response.status} ${response.statusText}`;
  return new RegistryProblem(response.status, code, detail, faultsOf(body['errors']));
}

async function readObject(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const text = await response.text().catch(() => '');
  try {
    const value: unknown = JSON.parse(text.slice(0, BODY_MAX));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function faultsOf(errors: unknown): ProblemFault[] {
  if (!Array.isArray(errors)) return [];
  return errors.filter((fault): fault is ProblemFault => typeof fault === 'object' && fault !== null && typeof fault.message === 'string');
}
