import { MirrorStateSchema, type MirrorState } from '@packs/contracts';
import { canonicalJson, DomainError } from '@packs/domain';
import Ajv, { type ValidateFunction } from 'ajv/dist/2020';

/** Larger than the state of a million versions. */
const MAX_BYTES = 2 * 1024 * 1024 * 1024 - 1;

let validate: ValidateFunction | undefined;

/** RFC 8785 JSON of a state, in pieces: one state is one sequence of bytes, and never a string of all versions at once. */
export function* encodeMirrorState(state: MirrorState): Generator<Buffer> {
  const { channels, schema, tenant, versions, withdrawn } = state;
  // In the order RFC 8785 §3.2.3 puts the members.
  yield* pieces('{"channels":', channels, ',');
  yield Buffer.from(`"schema":${canonicalJson(schema)},"tenant":${canonicalJson(tenant)},`);
  yield* pieces('"versions":', versions, ',');
  yield* pieces('"withdrawn":', withdrawn, '}');
}

const PIECE = 64;

function* pieces(before: string, items: readonly unknown[], after: string): Generator<Buffer> {
  yield Buffer.from(`${before}[`);
  for (let at = 0; at < items.length; at += PIECE) {
    const piece = items
      .slice(at, at + PIECE)
      .map(canonicalJson)
      .join(',');
    yield Buffer.from(at === 0 ? piece : `,${piece}`);
  }
  yield Buffer.from(`]${after}`);
}

/** @throws DomainError ERR_MIRROR_CORRUPT */
export function parseMirrorState(bytes: Buffer): MirrorState {
  if (bytes.length > MAX_BYTES) throw corrupt('it is too large');
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw corrupt('it is not JSON', cause);
  }
  validate ??= new Ajv({ strict: false }).compile(MirrorStateSchema);
  if (!validate(parsed)) throw corrupt(`${validate.errors?.[0]?.instancePath ?? ''} ${validate.errors?.[0]?.message ?? 'is not valid'}`);
  return parsed as MirrorState;
}

function corrupt(why: string, cause?: unknown): DomainError {
  return new DomainError('ERR_MIRROR_CORRUPT', `the mirror's state cannot be read: ${why}`, { cause });
}
