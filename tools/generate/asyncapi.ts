import { COMMANDS, EVENT_STREAM, EVENTS, type EventContract } from '@packs/contracts';
import Ajv from 'ajv';
import definition from '@asyncapi/specs/schemas/3.0.0-without-$id.json';
import { contractSources, sourceOf, type ContractSource } from './contract-sources';
import { jsonFile, type GeneratedFile } from './generated-file';
import { eventMessageSchema } from './schemas';

type Sources = ReadonlyMap<string, ContractSource>;
type Members = Record<string, unknown>;

/** AsyncAPI 3.0 of everything that crosses NATS: events, which are public, and the commands between processes. */
export function asyncapi(): GeneratedFile[] {
  const sources = contractSources();
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Packs Registry messages',
      version: '1.0.0',
      description: `Events are CloudEvents 1.0 (JSON) on JetStream stream ${EVENT_STREAM.name}, delivered at least once. Commands are NATS request/reply.`,
    },
    defaultContentType: 'application/json',
    channels: {
      ...merge(EVENTS.map(event => eventChannel(event, sources))),
      ...merge(COMMANDS.map(command => commandChannels(command, sources))),
    },
    operations: {
      ...merge(EVENTS.map(event => eventOperation(event, sources))),
      ...merge(COMMANDS.map(command => commandOperation(command, sources))),
    },
  };
  validate(document);
  return [jsonFile('docs/asyncapi.json', document)];
}

function eventChannel(event: EventContract, sources: Sources): Members {
  const { name } = sourceOf(sources, event.type);
  const message = {
    name: event.type,
    summary: event.summary,
    contentType: 'application/cloudevents+json',
    payload: eventMessageSchema(event),
  };
  return { [name]: { address: event.type, description: event.summary, messages: { [name]: message } } };
}

function eventOperation(event: EventContract, sources: Sources): Members {
  const { name } = sourceOf(sources, event.type);
  const channel = `#/channels/${name}`;
  return {
    [`emit${name}`]: {
      action: 'send',
      channel: { $ref: channel },
      summary: `Sent by ${event.producer}.`,
      messages: [{ $ref: `${channel}/messages/${name}` }],
    },
  };
}

/** The reply's address is the caller's inbox, known only at run time. */
function commandChannels({ contract }: (typeof COMMANDS)[number], sources: Sources): Members {
  const { name, meaning } = sourceOf(sources, contract.subject);
  return {
    [name]: {
      address: contract.subject,
      description: meaning,
      messages: { request: { name: `${name}Request`, payload: contract.request } },
    },
    [`${name}Reply`]: { address: null, messages: { reply: { name: `${name}Reply`, payload: contract.reply } } },
  };
}

function commandOperation({ contract, callers, answeredBy }: (typeof COMMANDS)[number], sources: Sources): Members {
  const { name } = sourceOf(sources, contract.subject);
  return {
    [`answer${name}`]: {
      action: 'receive',
      channel: { $ref: `#/channels/${name}` },
      summary: `Answered by ${answeredBy} for ${callers.join(', ')} within ${contract.timeoutMs} ms.`,
      messages: [{ $ref: `#/channels/${name}/messages/request` }],
      reply: { channel: { $ref: `#/channels/${name}Reply` }, messages: [{ $ref: `#/channels/${name}Reply/messages/reply` }] },
    },
  };
}

/** @throws Error naming what in the document is not AsyncAPI */
function validate(document: unknown): void {
  const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false });
  const isValid = ajv.compile(definition);
  // The definition sees plain JSON, not the library's symbols.
  if (!isValid(JSON.parse(JSON.stringify(document))))
    throw new Error(`docs/asyncapi.json is not AsyncAPI 3.0: ${ajv.errorsText(isValid.errors)}`);
}

function merge(parts: readonly Members[]): Members {
  return Object.assign({}, ...parts) as Members;
}
