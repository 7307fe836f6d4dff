export interface JsonLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
}

/** Why a text is refused as JSON. */
export class JsonFault extends Error {}

const DEFAULT_LIMITS: JsonLimits = { maxBytes: 256 * 1024, maxDepth: 32 };

/**
 * JSON in UTF-8 in which no object has a member twice: RFC 8259 §4 leaves it to each reader which one counts,
 * so two readers of one signed text could see two statements.
 * @throws JsonFault
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits = DEFAULT_LIMITS): unknown {
  if (bytes.length > limits.maxBytes) throw new JsonFault(`longer than ${limits.maxBytes} bytes`);
  const text = decodeUtf8(bytes);
  const value = parse(text);
  refuseDuplicates(text, limits.maxDepth);
  return value;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new JsonFault('not UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new JsonFault('not JSON');
  }
}

/** A string, its member colon if it is a name, or a bracket. Everything between them is of no interest in a text already known to be JSON. */
const TOKEN = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[{}[\]]/g;

function refuseDuplicates(text: string, maxDepth: number): void {
  const open: Set<string>[] = [];
  for (const [token, body, colon] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      if (open.push(new Set()) > maxDepth) throw new JsonFault(`nested deeper than ${maxDepth}`);
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (colon !== undefined) {
      const name = JSON.parse(`"${body}"`) as string;
      const names = open.at(-1);
      if (names?.has(name)) throw new JsonFault('an object has a member twice');
      names?.add(name);
    }
  }
}
