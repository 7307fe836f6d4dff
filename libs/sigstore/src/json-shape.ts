import { decodeBase64 } from './canonical-base64';
import { invalid } from './signature-fault';

/** Reads one value of a known place in a document, or throws a SignatureFault that names the place. */
export type Shape<T> = (value: unknown, at: string) => T;

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Read<R extends Fields, O extends Fields> = { readonly [K in keyof R]: ReturnType<R[K]> } & {
  readonly [K in keyof O]?: ReturnType<O[K]>;
};

/** An object with exactly these members; an unknown one is refused, because somebody else may give it a meaning. */
export function object<R extends Fields, O extends Fields>(required: R, optional: O): Shape<Read<R, O>> {
  return (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${at || '/'} is not an object`);
    const result: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      const shape = Object.hasOwn(required, name) ? required[name] : Object.hasOwn(optional, name) ? optional[name] : undefined;
      if (!shape) throw invalid(`${at || '/'} has a member that is not known`);
      result[name] = shape(member, `${at}/${name}`);
    }
    for (const name of Object.keys(required)) if (!(name in result)) throw invalid(`${at}/${name} is missing`);
    return result as Read<R, O>;
  };
}

export function array<T>(item: Shape<T>, max: number): Shape<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value) || value.length > max) throw invalid(`${at} is not an array of at most ${max}`);
    return value.map((member, index) => item(member, `${at}/${index}`));
  };
}

export const text: Shape<string> = (value, at) => {
  if (typeof value !== 'string') throw invalid(`${at} is not a string`);
  return value;
};

export const base64: Shape<Buffer> = (value, at) => {
  const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
  if (!bytes) throw invalid(`${at} is not canonical base64`);
  return bytes;
};

/** A protobuf int64 as its JSON mapping writes it, a decimal string; and no larger than every reader takes as the same number. */
export const safeInteger: Shape<string> = (value, at) => {
  if (typeof value !== 'string' || !/^(0|[1-9][0-9]{0,14})$/.test(value)) {
    throw invalid(`${at} is not a decimal number of at most 15 digits in a string`);
  }
  return value;
};
