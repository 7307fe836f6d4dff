import { EnvelopeSchema, EVENTS, type EventContract } from '@packs/contracts';
import { packManifestSchema } from '@packs/pack-format';
import { jsonFile, type GeneratedFile } from './generated-file';

export const SCHEMA_FOLDER = 'docs/schemas';

/** The whole message of one event: CloudEvents envelope and data. */
export function eventMessageSchema(event: EventContract): object {
  const { data, type, ...members } = EnvelopeSchema.properties;
  return { ...EnvelopeSchema, properties: { ...members, type: { ...type, const: event.type }, data: { ...data, ...event.data } } };
}

export function schemas(): GeneratedFile[] {
  const events = EVENTS.map(event =>
    jsonFile(`${SCHEMA_FOLDER}/events/${event.type}.schema.json`, {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `https://stellaops.io/schemas/events/v1/${event.type}.schema.json`,
      title: event.type,
      description: event.summary,
      ...eventMessageSchema(event),
    }),
  );
  return [jsonFile(`${SCHEMA_FOLDER}/pack.v1.schema.json`, packManifestSchema), ...events];
}
