export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type Place = readonly (string | number)[];

export interface Mutation {
  readonly at: string;
  readonly what: string;
  readonly document: Json;
}

/** Marsaglia's xorshift32: the same mutations in every run. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function* places(value: Json, at: Place = []): Generator<readonly [Place, Json]> {
  if (at.length > 0) yield [at, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) yield* places(member, [...at, Array.isArray(value) ? Number(name) : name]);
}

function replaced(value: Json, [first, ...rest]: Place, by: Json | undefined): Json {
  if (first === undefined) return by ?? null;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, Json>;
  if (rest.length > 0) copy[first] = replaced(copy[first] as Json, rest, by);
  else if (by !== undefined) copy[first] = by;
  else if (Array.isArray(copy)) copy.splice(Number(first), 1);
  else delete copy[first];
  return copy;
}

/** @param changes how many characters of each string are changed, one at a time */
function* mutationsOf(value: Json, next: () => number, changes: number): Generator<readonly [string, Json | undefined]> {
  yield ['removed', undefined];
  yield ['made null', null];
  yield ['made a number', 7];
  yield ['put in an array', [value]];
  if (typeof value === 'string') {
    yield ['emptied', ''];
    yield ['followed by a space', `${value} `];
    yield ['followed by a line feed', `${value}\n`];
    for (let count = 0; count < changes && value.length > 0; count++) {
      const at = Math.floor(next() * value.length);
      const other = String.fromCharCode(value.charCodeAt(at) ^ (1 << Math.floor(next() * 6)));
      yield [`changed at ${at}`, value.slice(0, at) + other + value.slice(at + 1)];
    }
  } else if (Array.isArray(value)) {
    yield ['emptied', []];
    yield ['doubled', [...value, ...value]];
  } else if (typeof value === 'object' && value !== null) {
    yield ['emptied', {}];
    yield ['given another member', { ...value, unknown: 1 }];
  }
}

/** Every document that differs from this one in one field. */
export function* allMutations(document: Json, next: () => number, changes = 24): Generator<Mutation> {
  for (const [place, value] of places(document)) {
    for (const [what, by] of mutationsOf(value, next, changes)) {
      yield { at: `/${place.join('/')}`, what, document: replaced(document, place, by) };
    }
  }
}
