import { COMMANDS, CONSUMERS, EVENT_STREAM, EVENTS } from '@packs/contracts';
import { contractSources, sourceOf } from './contract-sources';
import { page, type GeneratedFile } from './generated-file';
import { code, codeLink, table } from './markdown';

export function messages(): GeneratedFile[] {
  const sources = contractSources();
  const commands = COMMANDS.map(({ contract, callers, answeredBy }) => {
    const { file, meaning } = sourceOf(sources, contract.subject);
    if (meaning === '') throw new Error(`${file}: command ${contract.subject} has no comment that says what it does`);
    return [codeLink(contract.subject, `../${file}`), callers.join(', '), answeredBy, `${contract.timeoutMs / 1000} s`, meaning];
  });
  const events = EVENTS.map(event => [
    codeLink(event.type, `schemas/events/${event.type}.schema.json`),
    event.producer,
    CONSUMERS.filter(consumer => matches(consumer.subject, event.type))
      .map(consumer => code(consumer.name))
      .join(', '),
    event.summary,
  ]);
  const consumers = CONSUMERS.map(({ name, process, subject }) => [code(name), process, code(subject)]);
  return [
    page(
      'docs/messages.md',
      '`libs/contracts`',
      '# Messages',
      '## Commands',
      'NATS request/reply. The link leads to the schemas of request and reply.',
      table(['Subject', 'Caller', 'Answered by', 'Time-out', 'Meaning'], commands),
      '## Events',
      `CloudEvents 1.0 on JetStream stream \`${EVENT_STREAM.name}\`; the type is the subject. Delivered at least once, under the event's id. The link leads to the schema.`,
      table(['Type', 'Producer', 'Consumers', 'Meaning'], events),
      '## Consumers',
      'Durable consumers of the stream.',
      table(['Name', 'Process', 'Subject'], consumers),
    ),
  ];
}

/** NATS wildcards: `*` is one token, a final `>` is one or more. */
function matches(pattern: string, subject: string): boolean {
  const expression = pattern.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replace(/>$/, '.+');
  return new RegExp(`^${expression}$`).test(subject);
}
