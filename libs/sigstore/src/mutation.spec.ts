import { sha256, SIGNATURE_SCHEMES } from '@packs/domain';
import { SpecSigner } from './signer.fixture';
import { verifyPackSignature, type PackSignature } from './verify-pack-signature';

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
type Place = readonly (string | number)[];

interface Mutation {
  readonly at: string;
  readonly what: string;
  readonly value: Json | undefined;
}

const ARTIFACT = Buffer.from('the bytes of a pack bundle');

/**
 * What may differ without the signature ceasing to be this key's over these bytes:
 * the absence of a key's name and of the digest, which a bundle may leave out, and DSSE's unauthenticated `keyid` (DSSE v1.0, "Protocol").
 */
const UNAUTHENTICATED: readonly RegExp[] = [
  /^\/verificationMaterial\/publicKey\/hint (removed|emptied)$/,
  /^\/messageSignature\/messageDigest removed$/,
  /^\/messageSignature\/messageDigest emptied$/,
  /^\/(dsseEnvelope\/)?signatures\/0\/keyid /,
  /^\/verificationMaterial\/publicKey emptied$/,
];

/** Marsaglia's xorshift32: the same mutations in every run. */
function random(seed: number): () => number {
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
  const copy = structuredClone(value) as Record<string | number, Json>;
  if (rest.length > 0) copy[first] = replaced(copy[first] as Json, rest, by);
  else if (by !== undefined) copy[first] = by;
  else if (Array.isArray(copy)) copy.splice(Number(first), 1);
  else delete copy[first];
  return copy;
}

function* mutationsOf(value: Json, next: () => number): Generator<readonly [string, Json | undefined]> {
  yield ['removed', undefined];
  yield ['made null', null];
  yield ['made a number', 7];
  yield ['put in an array', [value]];
  if (typeof value === 'string') {
    yield ['emptied', ''];
    yield ['followed by a space', `${value} `];
    yield ['followed by a line feed', `${value}\n`];
    for (let count = 0; count < 24 && value.length > 0; count++) {
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

function* allMutations(document: Json, next: () => number): Generator<Mutation & { readonly document: Json }> {
  for (const [place, value] of places(document)) {
    for (const [what, by] of mutationsOf(value, next))
      yield { at: `/${place.join('/')}`, what, value: by, document: replaced(document, place, by) };
  }
}

describe.each(SIGNATURE_SCHEMES)('a document of scheme %s with one field changed', scheme => {
  const signer = new SpecSigner(scheme);
  const next = random(20_260_117);

  function check(signature: PackSignature) {
    const artifact = async function* (): AsyncIterable<Uint8Array> {
      yield ARTIFACT;
    };
    return verifyPackSignature({ artifact, digest: sha256(ARTIFACT), size: ARTIFACT.length, signature, keys: [signer.key] });
  }

  it.each(['messageBundle', 'dsseBundle', 'envelope'] as const)('is not accepted as %s unless the field proves nothing', async format => {
    const { mediaType, content } = signer[format](ARTIFACT);
    const accepted: string[] = [];
    let refused = 0;
    for (const { at, what, document } of allMutations(JSON.parse(Buffer.from(content).toString()), next)) {
      const result = await check({ mediaType, content: Buffer.from(JSON.stringify(document)) });
      if (!result.valid) refused++;
      else if (!UNAUTHENTICATED.some(field => field.test(`${at} ${what}`))) accepted.push(`${at} ${what}`);
      if (!result.valid) expect(result.reason).toMatch(/^ERR_PACK_SIGNATURE_(INVALID|UNTRUSTED)$/);
    }
    expect(accepted).toEqual([]);
    expect(refused).toBeGreaterThan(100);
  });

  it('is not accepted with any byte of the document changed outside of those fields', async () => {
    const { mediaType, content } = signer.messageBundle(ARTIFACT);
    const original = JSON.stringify(JSON.parse(Buffer.from(content).toString()));
    for (let at = 0; at < content.length; at++) {
      const mutated = Buffer.from(content);
      mutated[at] = (mutated[at] ?? 0) ^ (1 << Math.floor(next() * 8));
      const result = await check({ mediaType, content: mutated });
      if (result.valid) expect(JSON.stringify(JSON.parse(mutated.toString()))).toBe(original);
    }
  });
});
