import { Type, type Static, type TObject } from '@sinclair/typebox';
import type { Digest } from '@packs/domain';
import { closed, DigestSchema, nullable, PackIdSchema, TenantSchema, VersionSchema } from '../contract-types';
import type { ProcessName } from '../access/processes';

/** One kind of event: its type is also the subject it is published under on the stream. */
export interface EventContract<Data extends TObject = TObject> {
  readonly type: string;
  readonly summary: string;
  readonly producer: ProcessName;
  readonly data: Data;
}

/** The JetStream stream of all events, and the subjects it captures. */
export const EVENT_STREAM = { name: 'PACKS', subjects: ['pack.>', 'mirror.>', 'parity.>', 'registry.>'] } as const;

/** Members that the data of every event has. */
const origin = {
  /** The envelope's id again, so that `data` alone can be stored. */
  id: Type.String({ pattern: '^evt_[0-9A-HJKMNP-TV-Z]{26}$' }),
  type: Type.String(),
  packId: nullable(PackIdSchema),
  version: nullable(VersionSchema),
  actor: Type.String({ minLength: 1, maxLength: 256 }),
  tenant: TenantSchema,
  /** The client's User-Agent, unverified. */
  source: nullable(Type.String({ maxLength: 256 })),
  /** Digests of the signatures concerned. */
  signatures: Type.Array(DigestSchema),
  /** SHA-256 of the RFC 8785 form of what changed: the pack's config for versions, the new state otherwise. */
  metadataHash: DigestSchema,
};

export interface EventOrigin {
  readonly id: string;
  readonly type: string;
  readonly packId: string | null;
  readonly version: string | null;
  readonly actor: string;
  readonly tenant: string;
  readonly source: string | null;
  readonly signatures: readonly Digest[];
  readonly metadataHash: Digest;
}

export function event<State extends Parameters<typeof closed>[0]>(
  type: string,
  producer: ProcessName,
  summary: string,
  state: State,
): EventContract<TObject<State & typeof origin>> {
  return { type, producer, summary, data: closed({ ...origin, type: Type.Literal(type), ...state }) as never };
}

/** CloudEvents 1.0 in its JSON form. */
export const EnvelopeSchema = closed({
  specversion: Type.Literal('1.0'),
  id: origin.id,
  /** The process that made it, as a URI reference. */
  source: Type.String({ pattern: '^/packs-registry/[a-z-]+$' }),
  type: Type.String({ pattern: '^[a-z]+(\\.[a-z-]+)+$' }),
  /** `<tenant>/<packId>/<version>`, as far as they apply. */
  subject: Type.String(),
  time: Type.String({ format: 'date-time' }),
  datacontenttype: Type.Literal('application/json'),
  data: Type.Object(origin, { additionalProperties: true }),
});

export type EventEnvelope<Data = EventOrigin & Readonly<Record<string, unknown>>> = Omit<Static<typeof EnvelopeSchema>, 'data'> & {
  readonly data: Data;
};
