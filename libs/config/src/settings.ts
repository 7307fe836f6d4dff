/** One environment variable: what it means, how it is read, and what it is when absent. */
export interface Setting<T> {
  readonly name: string;
  readonly doc: string;
  /** The value when the variable is absent. Without one the variable is required, unless `optional`. */
  readonly fallback?: string;
  readonly optional?: boolean;
  /** Masked wherever settings are shown. */
  readonly secret?: boolean;
  readonly example?: string;
  /** @throws Error with a message that completes "NAME …" */
  parse(text: string): T;
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type Values<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** Every fault of the environment at once. */
export class ConfigError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`the configuration is not valid:\n${faults.map(fault => `  - ${fault}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** @throws ConfigError naming every variable at fault */
export function readSettings<S extends Settings>(settings: S, env: Readonly<Record<string, string | undefined>> = process.env): Values<S> {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [key, one] of Object.entries(settings)) {
    const text = env[one.name]?.trim() || one.fallback;
    if (text === undefined) {
      if (!one.optional) faults.push(`${one.name} is required: ${one.doc}${one.example ? ` (for example ${one.example})` : ''}`);
      continue;
    }
    try {
      values[key] = one.parse(text);
    } catch (error) {
      faults.push(`${one.name} ${(error as Error).message}${one.secret ? '' : `, not ${JSON.stringify(withoutUserinfo(text))}`}`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return values as Values<S>;
}

/** One variable, for tools that run before any process. */
export function setting(name: string): string | undefined {
  return process.env[name]?.trim() || undefined;
}

/** A URL that was written with a password in it is shown without. */
function withoutUserinfo(text: string): string {
  return text.replace(/\/\/[^/]*@/, '//…@');
}
