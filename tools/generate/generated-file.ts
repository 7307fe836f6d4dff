/** A file that is made from code and checked in. `path` is relative to the repository's root. */
export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
}

export function jsonFile(path: string, value: unknown): GeneratedFile {
  return { path, content: `${JSON.stringify(value, null, 2)}\n` };
}

/** A Markdown page that says where it comes from. */
export function page(path: string, source: string, ...blocks: readonly string[]): GeneratedFile {
  const [title, ...rest] = blocks;
  return { path, content: `${[title, `Made by \`npm run gen\` from ${source}.`, ...rest].join('\n\n')}\n` };
}
