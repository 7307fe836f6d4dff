export function text(value: string): string {
  return value;
}

export function port(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
  throw new Error('must be a port number between 0 and 65535');
}

export function positive(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error('must be a whole number above 0');
}

export function between(least: number, most: number): (value: string) => number {
  return value => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new Error(`must be a whole number from ${least} to ${most}`);
  };
}

export function flag(value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  throw new Error('must be true or false');
}

export function oneOf<const T extends readonly string[]>(values: T): (value: string) => T[number] {
  return value => {
    if (values.includes(value)) return value;
    throw new Error(`must be one of ${values.join(', ')}`);
  };
}

export function urlOf(...protocols: readonly string[]): (value: string) => string {
  return value => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    if (parsed && protocols.includes(parsed.protocol)) return value.replace(/\/+$/, '');
    throw new Error(`must be a URL with ${protocols.map(protocol => `${protocol}//`).join(' or ')}`);
  };
}
